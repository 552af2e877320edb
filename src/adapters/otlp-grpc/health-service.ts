import { Semaphore } from "../../application/waiting/semaphore.ts";
import { status as Code } from "@grpc/grpc-js";
import type { ServerWritableStream } from "@grpc/grpc-js";
import {
  type CallFailure,
  callFailure,
  bufferOver,
  HEALTH_SERVICE,
  TRACE_SERVICE,
  type StreamingMethod,
  type UnaryCall,
  type UnaryMethod,
} from "./call-handlers.ts";
import { grpc } from "./generated/services.js";
import { type EncodedMessage, libraryMessage, smallMessage } from "./message-encoding.ts";

const { HealthCheckRequest, HealthCheckResponse, HealthListResponse } = grpc.health.v1;
const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse.ServingStatus;

type Watcher = ServerWritableStream<Buffer, Buffer>;

/** The known services. `""` is the whole server, whose status is that of the trace service. */
const SERVICES = ["", TRACE_SERVICE];

/** The maximum size of a request, which holds the name of a service and is much shorter. */
const MAX_REQUEST_BYTES = 4096;

/**
 * Implements `grpc.health.v1.Health`, for load balancers and Kubernetes probes.
 * Source: grpc/grpc, doc/health-checking.md and src/proto/grpc/health/v1/health.proto.
 */
export class HealthService {
  // Fixed at construction.
  private readonly permits: Semaphore;

  // Moved by `setServing`, `stop` and the watchers.
  private readonly watchers = new Set<Watcher>();
  /** The watchers of an existing service, which get each change of the status. */
  private readonly notified = new Set<Watcher>();
  private status: number = NOT_SERVING;
  private isStopping = false;

  /** `maxWatchers` bounds how many `Watch` calls are open at the same time. */
  constructor(maxWatchers: number) {
    this.permits = new Semaphore(maxWatchers);
  }

  setServing(isServing: boolean): void {
    const status = isServing && !this.isStopping ? SERVING : NOT_SERVING;
    if (status === this.status) return;
    this.status = status;
    for (const watcher of this.notified) watcher.write(encodeStatus(status));
  }

  /** Sends NOT_SERVING to the watchers and ends their calls, which would keep the server open. */
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

  /** Returns false when too many calls are open. */
  admit(watcher: Watcher, service: string): boolean {
    const release = this.permits.take();
    if (release === undefined) return false;
    watcher.once("cancelled", () => this.dismiss(watcher, release));
    this.addWatcher(watcher, service);
    return true;
  }

  private addWatcher(watcher: Watcher, service: string): void {
    this.watchers.add(watcher);
    if (SERVICES.includes(service)) this.notified.add(watcher);
  }

  private dismiss(watcher: Watcher, release: () => void): void {
    this.watchers.delete(watcher);
    this.notified.delete(watcher);
    release();
  }
}

const STOPPING: CallFailure = { code: Code.UNAVAILABLE, details: "stopping" };
const UNKNOWN: CallFailure = { code: Code.NOT_FOUND, details: "no such service" };
const TOO_MANY: CallFailure = { code: Code.RESOURCE_EXHAUSTED, details: "too many watchers" };
const MALFORMED: CallFailure = { code: Code.INVALID_ARGUMENT, details: "not a HealthCheckRequest" };

export function healthMethods(health: HealthService): UnaryMethod[] {
  return [
    { path: `/${HEALTH_SERVICE}/Check`, handler: (call) => check(health, call) },
    {
      path: `/${HEALTH_SERVICE}/List`,
      handler: (call) => call.succeed(encodeStatuses(health.statuses())),
    },
  ];
}

export function watchMethod(health: HealthService): StreamingMethod {
  return {
    path: `/${HEALTH_SERVICE}/Watch`,
    type: "serverStream",
    handler: (call) => watch(health, call),
  };
}

function check(health: HealthService, call: UnaryCall): void {
  const service = serviceNamedBy(call.message);
  if (typeof service !== "string") return call.fail(service);
  const status = health.statusOf(service);
  if (status === undefined) return call.fail(UNKNOWN);
  call.succeed(encodeStatus(status));
}

function watch(health: HealthService, call: Watcher): void {
  const service = serviceNamedBy(libraryMessage(call.request, call.metadata));
  if (typeof service !== "string") return fail(call, service);
  if (!health.admit(call, service)) return fail(call, TOO_MANY);
  call.write(encodeStatus(health.statusOf(service) ?? SERVICE_UNKNOWN));
}

function serviceNamedBy(message: EncodedMessage): string | CallFailure {
  const plain = smallMessage(message, MAX_REQUEST_BYTES);
  if (plain.outcome !== "plain") return callFailure(plain);
  try {
    return HealthCheckRequest.decode(plain.bytes).service;
  } catch {
    return MALFORMED;
  }
}

/** Ends a stream with a status, which grpc-js takes as an event. */
function fail(call: Watcher, failure: CallFailure): void {
  call.emit("error", failure);
}

function encodeStatus(status: number): Buffer {
  return bufferOver(HealthCheckResponse.encode({ status }).finish());
}

function encodeStatuses(statuses: Record<string, { status: number }>): Buffer {
  return bufferOver(HealthListResponse.encode({ statuses }).finish());
}
