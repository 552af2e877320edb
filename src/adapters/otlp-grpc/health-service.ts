import { status as Code } from "@grpc/grpc-js";
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from "@grpc/grpc-js";
import {
  type CallFailure,
  callFailure,
  bufferOver,
  HEALTH_SERVICE,
  TRACE_SERVICE,
  type Method,
} from "./call-handlers.ts";
import { CallSlots } from "./call-slots.ts";
import { grpc } from "./generated/services.js";
import { smallMessage } from "./message-encoding.ts";

const { HealthCheckRequest, HealthCheckResponse, HealthListResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;

type Watcher = ServerWritableStream<Buffer, Buffer>;

/** "" is the server as a whole; here both are always in the same state. */
const SERVICES = ["", TRACE_SERVICE];

/** Names a service; no honest request comes near. */
const MAX_REQUEST_BYTES = 4096;

/**
 * `grpc.health.v1.Health`, for load balancers and Kubernetes probes.
 * Source: grpc/grpc, doc/health-checking.md and src/proto/grpc/health/v1/health.proto.
 */
export class HealthService {
  // Fixed at construction.
  private readonly slots: CallSlots;

  // Moved by `setServing`, `stop` and the watchers.
  private readonly watchers = new Set<Watcher>();
  /** Those of the watchers who asked for a service that we have. */
  private readonly told = new Set<Watcher>();
  private status: number = NOT_SERVING;
  private isStopping = false;

  /** `maxWatchers`: how many `Watch` calls may last at the same time. */
  constructor(maxWatchers: number) {
    this.slots = new CallSlots(maxWatchers);
  }

  setServing(isServing: boolean): void {
    const status = isServing && !this.isStopping ? SERVING : NOT_SERVING;
    if (status === this.status) return;
    this.status = status;
    for (const watcher of this.told) watcher.write(encodeStatus(status));
  }

  /** Tells the watchers that it is over, and lets them go: they would hold the server open. */
  stop(): void {
    this.isStopping = true;
    this.setServing(false);
    for (const watcher of this.watchers) fail(watcher, STOPPING);
  }

  statusOf(service: string): number | undefined {
    return SERVICES.includes(service) ? this.status : undefined;
  }

  statuses(): Record<string, { status: number }> {
    return Object.fromEntries(SERVICES.map((service) => [service, { status: this.status }]));
  }

  /** False when there are too many. A watcher of an unknown service is told nothing more. */
  admit(watcher: Watcher, service: string): boolean {
    if (!this.slots.take()) return false;
    this.watchers.add(watcher);
    if (SERVICES.includes(service)) this.told.add(watcher);
    watcher.once("cancelled", () => this.dismiss(watcher));
    return true;
  }

  private dismiss(watcher: Watcher): void {
    this.watchers.delete(watcher);
    this.told.delete(watcher);
    this.slots.free();
  }
}

const STOPPING: CallFailure = { code: Code.UNAVAILABLE, details: "stopping" };
const UNKNOWN: CallFailure = { code: Code.NOT_FOUND, details: "no such service" };
const TOO_MANY: CallFailure = { code: Code.RESOURCE_EXHAUSTED, details: "too many watchers" };
const MALFORMED: CallFailure = { code: Code.INVALID_ARGUMENT, details: "not a HealthCheckRequest" };

export function healthMethods(health: HealthService): Method[] {
  return [
    {
      path: `/${HEALTH_SERVICE}/Check`,
      type: "unary",
      handler: (call, respond) => check(health, call, respond),
    },
    {
      path: `/${HEALTH_SERVICE}/List`,
      type: "unary",
      handler: (_call, respond) => respond(null, encodeStatuses(health.statuses())),
    },
    {
      path: `/${HEALTH_SERVICE}/Watch`,
      type: "serverStream",
      handler: (call) => watch(health, call),
    },
  ];
}

function check(
  health: HealthService,
  call: ServerUnaryCall<Buffer, Buffer>,
  respond: sendUnaryData<Buffer>,
): void {
  const service = serviceNamedBy(call);
  if (typeof service !== "string") return respond(service);
  const status = health.statusOf(service);
  if (status === undefined) return respond(UNKNOWN);
  respond(null, encodeStatus(status));
}

function watch(health: HealthService, call: Watcher): void {
  const service = serviceNamedBy(call);
  if (typeof service !== "string") return fail(call, service);
  if (!health.admit(call, service)) return fail(call, TOO_MANY);
  call.write(encodeStatus(health.statusOf(service) ?? SERVICE_UNKNOWN));
}

function serviceNamedBy(call: ServerUnaryCall<Buffer, Buffer> | Watcher): string | CallFailure {
  const plain = smallMessage(call, MAX_REQUEST_BYTES);
  if (plain.outcome !== "plain") return callFailure(plain);
  try {
    return HealthCheckRequest.decode(plain.bytes).service;
  } catch {
    return MALFORMED;
  }
}

/** How grpc-js has a stream end with a status: an event, not a throw. */
function fail(call: Watcher, failure: CallFailure): void {
  call.emit("error", failure);
}

function encodeStatus(status: number): Buffer {
  return bufferOver(HealthCheckResponse.encode({ status }).finish());
}

function encodeStatuses(statuses: Record<string, { status: number }>): Buffer {
  return bufferOver(HealthListResponse.encode({ statuses }).finish());
}
