import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import type { PausableListener } from "../adapters/listening/descriptor-guard.ts";
import { metricsPage } from "../adapters/metrics/metrics-page.ts";
import { type MetricSources, metricValues } from "../adapters/metrics/metric-values.ts";
import { processFigures } from "../adapters/metrics/process-figures.ts";
import { requireResolvable } from "../adapters/listening/served-port.ts";
import { claimSocketPath } from "../adapters/listening/unix-socket.ts";
import { startGrpcListener } from "../adapters/otlp-grpc/grpc-listener.ts";
import { startOtlpHttpListener } from "../adapters/otlp-http/otlp-http-listener.ts";
import type { DiskReading, ForwardReading, ReceiversReading } from "../adapters/read-api/route.ts";
import type { UploadParts } from "../adapters/read-api/upload/receive-file.ts";
import { startReadApi } from "../adapters/read-api/read-api.ts";
import type { ListenAddress } from "../config/config.ts";
import { shownEndpoint } from "../config/endpoint.ts";
import type { ServerParts } from "./parts.ts";
import type { LogFields } from "../ports/logger.ts";
import { socketPathOf } from "../domain/text/host-address.ts";
import { systemErrorText } from "../domain/text/system-error.ts";

/** The listeners. `start` starts one, stores it in `running`, and returns its port. */
const LISTENERS = {
  api: { portVariable: "API_PORT", start: startApi },
  grpc: { portVariable: "OTLP_GRPC_PORT", start: startGrpc },
  http: { portVariable: "OTLP_HTTP_PORT", start: startHttp },
} as const;

export type ListenerName = keyof typeof LISTENERS;

/** Starts a listener. If it cannot listen, logs the reason and resolves to false. */
export async function listen(parts: ServerParts, listener: ListenerName): Promise<boolean> {
  const { config, logger, running } = parts;
  const address = config[listener];
  if (address === "off") return true;
  const { portVariable, start } = LISTENERS[listener];
  const path = socketPathOf(address.host);
  try {
    await (path === undefined ? requireResolvable(address.host) : claimSocketPath(path));
    const port = await start(parts, address);
    running.ports[listener] = port;
    logger.info("listening", { listener, ...shownAddress(address, port) });
    return true;
  } catch (error) {
    logger.error("cannot_listen", listenFailure({ listener, address, portVariable }, error));
    return false;
  }
}

/** Returns the address in use, for the log. */
function shownAddress({ host, tls }: ListenAddress, port: number): LogFields {
  if (socketPathOf(host) !== undefined) return { host };
  return { host, port, ...(tls && { tls: true }) };
}

/** A running listener, and the description to log if it cannot listen again. */
export interface RunningListener extends FailedListener {
  readonly listener: ListenerName;
  readonly pausable: PausableListener;
}

export function runningListeners({ config, running }: ServerParts): RunningListener[] {
  const names = Object.keys(LISTENERS) as ListenerName[];
  return names.flatMap((listener) => {
    const [address, pausable] = [config[listener], running[listener]];
    if (address === "off" || pausable === undefined) return [];
    return [{ listener, portVariable: LISTENERS[listener].portVariable, address, pausable }];
  });
}

async function startApi(parts: ServerParts, address: ListenAddress): Promise<number> {
  const { buffer, runId, arrivals, problems, logger, version, life, highWater } = parts;
  const startedMs = clock.monotonicMs();
  const sources = metricSources(parts);
  const api = startReadApi({
    address,
    buffer,
    runId,
    arrivals,
    problems,
    exporters: parts.exporters,
    stopping: parts.stopping.signal,
    readiness: () => life.state,
    highWater: () => highWater?.isReached,
    clock,
    turns: parts.turns,
    inFlight: parts.budget,
    uptimeMs: () => clock.monotonicMs() - startedMs,
    version,
    receivers: () => receiversReading(parts),
    upload: uploadParts(parts),
    forward: forwardReading(parts),
    disk: diskReading(parts),
    metrics: () => metricsPage(metricValues(sources)),
    gate: parts.running.gates?.api,
    logger,
    tls: parts.running.certificates?.tls.api,
  });
  await api.listening;
  parts.running.api = api;
  return api.port;
}

/** Returns the listeners of OTLP that are listening. */
function receiversReading(parts: ServerParts): ReceiversReading {
  return { grpc: receiverReading(parts, "grpc"), http: receiverReading(parts, "http") };
}

function receiverReading({ config, running }: ServerParts, listener: "grpc" | "http") {
  const address = config[listener];
  const port = running.ports[listener];
  if (address === "off" || port === "off") return undefined;
  const { host, tls } = address;
  return {
    host,
    ...(socketPathOf(host) === undefined && { port }),
    tls: tls !== undefined,
    client_certificate: tls !== undefined && tls.clientCaFile !== "",
    token: running.gates?.otlp !== undefined,
  };
}

/** Gives uploads the limits and receivers of OTLP/HTTP, and the budget of all listeners. */
function uploadParts({ config, receivers, budget }: ServerParts): UploadParts {
  const { limits, maxBodyBytes } = config;
  const { spansPerRequest, nestingDepth, inFlightBytes } = limits;
  // The reader may hold a request, the one before it, and a copy of one.
  const requestBytes = Math.min(maxBodyBytes, Math.floor(inFlightBytes / 4));
  return {
    receivers: { protobuf: receivers["http/protobuf"], json: receivers["http/json"] },
    limits: { requestBytes, spansPerRequest, nestingDepth },
    budget,
  };
}

function forwardReading({ config, running }: ServerParts): ForwardReading | undefined {
  const { forwarder } = running;
  if (config.forward === "off" || forwarder === undefined) return undefined;
  const endpoint = shownEndpoint(config.forward.endpoint);
  return { endpoint, status: () => forwarder.status() };
}

function diskReading({ config, running }: ServerParts): (() => DiskReading) | undefined {
  const { log } = config;
  const { log: opened } = running;
  if (log === "off" || opened === undefined) return undefined;
  return () => ({ ...opened.log.stats(), durability: log.durability });
}

function metricSources(parts: ServerParts): MetricSources {
  const { version, buffer, receivers, unsupported, problems, budget, highWater, running } = parts;
  return {
    version,
    stats: () => buffer.stats(),
    usedBytes: () => buffer.usedBytes(),
    restored: running.restored,
    disk: () => running.log?.log.stats(),
    highWater: () => highWater?.isReached,
    receivers,
    unsupported,
    problems: () => problems.totals(),
    inFlightBytes: () => budget.heldBytes,
    grpc: () => running.grpc?.counts(),
    http: () => running.http?.counts(),
    api: () => running.api?.counts(),
    forward: () => running.forwarder?.status(),
    process: () => processFigures(),
  };
}

async function startGrpc(parts: ServerParts, address: ListenAddress): Promise<number> {
  const { receivers, unsupported, config, budget, turns, problems, logger } = parts;
  const { limits, maxMessageBytes } = config;
  const receiver = receivers.grpc;
  const { gates, certificates } = parts.running;
  const access = { gate: gates?.otlp, tls: certificates?.tls.grpc };
  const receiving = { receiver, unsupported, limits, maxMessageBytes, budget, turns, ...access };
  const grpc = await startGrpcListener({ address, ...receiving, problems, logger, clock });
  parts.running.grpc = grpc;
  grpc.setServing(true);
  return grpc.port;
}

function startHttp(parts: ServerParts, address: ListenAddress): number {
  const { unsupported, config, budget, turns, problems, logger } = parts;
  const { limits, maxBodyBytes, corsOrigins } = config;
  const { "http/protobuf": protobuf, "http/json": json } = parts.receivers;
  const { gates, certificates } = parts.running;
  const access = { gate: gates?.otlp, tls: certificates?.tls.http };
  const accepting = { limits, maxBodyBytes, budget, turns, corsOrigins, ...access };
  const receiving = { receivers: { protobuf, json }, unsupported, ...accepting };
  const listensAgain = () => logger.info("listening_resumed", { listener: "http" });
  const http = startOtlpHttpListener({ address, ...receiving, problems, clock, listensAgain });
  parts.running.http = http;
  return http.port;
}

/** A listener that cannot listen, and the variable that sets its port. */
export interface FailedListener {
  readonly listener: string;
  readonly address: ListenAddress;
  readonly portVariable: string;
}

const OWN_ADDRESS = "an address of this machine, or to 0.0.0.0 for all of them";
const ANY_PORT = "to 0 for any free one, or to off";

/** For each error code: the reason, the variable to set, and its new value. */
const FAILURES: Readonly<
  Record<string, readonly [reason: string, sets: "PORT" | "HOST", to: string]>
> = {
  EADDRINUSE: ["the port is in use", "PORT", `another port, ${ANY_PORT}`],
  EACCES: [
    "the port needs a privilege this program does not have",
    "PORT",
    `a port above 1023, ${ANY_PORT}`,
  ],
  EADDRNOTAVAIL: ["this machine does not have the address", "HOST", OWN_ADDRESS],
  ENOTFOUND: ["the host name does not resolve", "HOST", OWN_ADDRESS],
};

const ANOTHER_PATH = "another path, or to a host";

/** The failures of Unix sockets. */
const SOCKET_FAILURES: typeof FAILURES = {
  EADDRINUSE: ["another program answers at this socket", "HOST", ANOTHER_PATH],
  ENOTSOCK: ["the path exists, and is not a socket", "HOST", ANOTHER_PATH],
  ENOENT: ["the folder of the socket does not exist", "HOST", ANOTHER_PATH],
  EACCES: ["this program may not create the socket there", "HOST", ANOTHER_PATH],
};

/** Returns the fields of a log line that explains the failure and how to fix it. */
export function listenFailure(
  { listener, address, portVariable }: FailedListener,
  error: unknown,
): LogFields {
  const { host, port, socketMode } = address;
  const shown = { listener, ...shownAddress({ host, port }, port) };
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const failure = (socketMode === undefined ? FAILURES : SOCKET_FAILURES)[code];
  if (failure === undefined) return { ...shown, reason: systemErrorText(error) };
  const [reason, sets, to] = failure;
  const variable = portVariable.replace(/PORT$/, sets);
  return { ...shown, reason, hint: `set ${variable} to ${to}` };
}
