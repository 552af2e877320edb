import { stopWithin } from "../../application/shutdown/life-cycle.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import type { LimitsConfig, ListenAddress } from "../../config/config.ts";
import type { SleepingClock, TimerClock } from "../../ports/clock.ts";
import type { ProblemLog } from "../../ports/logger.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import type { TokenGate } from "../listening/token-gate.ts";
import { ServedPort, servedPlace } from "../listening/served-port.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import { type ServerTls, servedTls } from "../listening/server-tls.ts";
import { UNIX_PEER, withSocketMode } from "../listening/unix-socket.ts";
import { PROCESS_PACE } from "../memory/collection-pace.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { answerResponse } from "./answer-response.ts";
import { BodyDrain, type BodyFormat } from "./request-body.ts";
import { Cors } from "./cors.ts";
import { answerExport, type ExportParts } from "./export-request.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { RequestTurns } from "./request-turns.ts";
import { type Peer, RequestPeer } from "./request-peer.ts";
import { RequestTable, type RequestTableParts } from "./request-table.ts";

export interface OtlpHttpListenerParts {
  readonly address: ListenAddress;
  /** The receivers by encoding of the body, so that each encoding is counted separately. */
  readonly receivers: Readonly<Record<BodyFormat, TraceReceiver>>;
  /** The receiver of metrics and logs; without it, their paths are unknown. */
  readonly unsupported?: UnsupportedSignals | undefined;
  readonly limits: LimitsConfig;
  /** The limit of one body, before and after decompression. */
  readonly maxBodyBytes: number;
  /** The origins of pages that may send; `*` allows any. */
  readonly corsOrigins: readonly string[];
  /** Shared with every other listener. */
  readonly budget: InFlightBudget;
  /** Shared with every other listener. */
  readonly turns: FairTurns;
  readonly problems: ProblemLog;
  /** Checks the tokens of requests; without it, everyone may send. */
  readonly gate?: TokenGate | undefined;
  readonly clock: SleepingClock & TimerClock;
  /** Undefined for a port without TLS. */
  readonly tls?: ServerTls | undefined;
  /** Called when the port listens again after it could not with a renewed certificate. */
  readonly listensAgain?: () => void;
}

export interface OtlpHttpListener extends PausableListener {
  /** The port in use, also when the configured port is 0. */
  readonly port: number;
  /** Stops accepting connections, finishes requests in flight, and aborts them after `graceMs`. */
  stop(graceMs: number): Promise<void>;
  counts(): OtlpHttpListenerCounts;
}

export interface OtlpHttpListenerCounts {
  readonly requestsInFlight: number;
}

/** The longest idle time that Bun.serve accepts. */
export const MAX_IDLE_SECONDS = 255;

const EXPIRY_INTERVAL_MS = 1_000;

/** How often a stop checks whether all requests have their answers. */
const ANSWERED_CHECK_MS = 10;

/**
 * Starts OTLP/HTTP, on HTTP/1.1 and HTTP/2, on one port. Throws when it cannot listen:
 * the error's `code` is `EADDRINUSE` when the port is taken.
 *
 * Bun.serve shows requests and no connections, so nothing here can limit how many connections are
 * open, how long one waits before its first request (except by the idle time), or how old one
 * becomes; Bun allows 256 HTTP/2 streams on each. `RequestTable` limits requests instead. Bytes
 * that are not HTTP, such as TLS, cannot be recorded: Bun answers 400 without calling us. Nor can
 * failed handshakes of TLS; Bun 1.4.5 closes a connection whose handshake takes 12 s.
 */
export function startOtlpHttpListener(parts: OtlpHttpListenerParts): OtlpHttpListener {
  const exporting = createExportParts(parts);
  const { table, drain } = exporting;
  const served = new ServedPort({
    serve: (port, reusePort) =>
      withSocketMode(parts.address, () => serve(parts, exporting, { port, reusePort })),
    address: parts.address,
    clock: parts.tls && parts.clock,
    ...(parts.listensAgain && { listensAgain: parts.listensAgain }),
    // Exporters send an aborted request again.
    mayBreakOff: true,
  });
  parts.tls?.onChange(() => served.replace());
  const cancelExpiry = parts.clock.repeat(EXPIRY_INTERVAL_MS, () => table.expire());
  return {
    port: served.port,
    get canHold() {
      return served.canHold;
    },
    relieve: () => served.relieve(),
    hold: () => served.hold(),
    pause: () => served.pause(),
    resume: () => served.resume(),
    stop: async (graceMs) => {
      table.stop();
      drain.stop();
      const gently = () => stopAfterAnswers(served, parts.clock);
      await stopWithin(graceMs, { gently, byForce: () => served.abort() }, parts.clock);
      cancelExpiry();
    },
    counts: () => ({ requestsInFlight: table.size }),
  };
}

/**
 * Stops once all requests have their answers. Bun keeps a connection with an incomplete head, and
 * one of TLS without a request, until the client closes it, although nothing that it may still send
 * can be stored. `pendingRequests` counts a request until its answer has been sent.
 */
async function stopAfterAnswers(served: ServedPort, clock: TimerClock): Promise<void> {
  const cancel = clock.repeat(ANSWERED_CHECK_MS, () => {
    if (served.pendingRequests === 0) void served.abort();
  });
  await served.stop().finally(cancel);
}

function serve(
  { address, limits, tls }: OtlpHttpListenerParts,
  exporting: ExportParts,
  { port, reusePort }: { readonly port: number; readonly reusePort: boolean },
) {
  const turns = new RequestTurns();
  const unnamed = address.socketMode === undefined ? "" : UNIX_PEER;
  return Bun.serve({
    ...servedPlace(address, port, reusePort),
    ...(tls && { tls: servedTls(tls) }),
    http2: true,
    idleTimeout: Math.min(MAX_IDLE_SECONDS, Math.ceil(limits.idleMs / 1000)),
    // `readBody` limits bodies: Bun would refuse one without a status that an exporter can read.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    fetch: (request, own) => {
      const peer = new RequestPeer(request, own, unnamed);
      const turn = turns.next();
      if (turn === undefined) return answerExport(exporting, request, peer);
      return turn.then(() => answerLater(exporting, request, peer));
    },
    error: (error) => {
      exporting.failed(error);
      return answerResponse({ outcome: "failed", message: "internal error" }, "json");
    },
  });
}

/** Answers a request after its turn, unless its connection has been closed in the meantime. */
function answerLater(exporting: ExportParts, request: Request, peer: Peer) {
  if (!request.signal.aborted) return answerExport(exporting, request, peer);
  exporting.problems.note({ protocol: "http", reason: "incomplete", address: peer.address });
  return new Response();
}

/** Builds the parts of a request; nothing listens yet. */
function createExportParts(parts: OtlpHttpListenerParts): ExportParts {
  const { limits, budget, clock, problems } = parts;
  const protocol = "http";
  const refused: RequestTableParts["refused"] = (reason, address) =>
    problems.note({ protocol, reason, address });
  return {
    receivers: parts.receivers,
    unsupported: parts.unsupported,
    table: new RequestTable({ limits, budget, clock, refused }),
    drain: new BodyDrain(clock),
    pace: PROCESS_PACE,
    longBodies: new OneAtATime(),
    turns: parts.turns,
    cors: parts.corsOrigins.length === 0 ? undefined : new Cors(parts.corsOrigins),
    budget,
    gate: parts.gate,
    // A body larger than the budget is refused for good, instead of being retried in vain.
    maxBytes: Math.min(parts.maxBodyBytes, limits.inFlightBytes),
    nestingDepth: limits.nestingDepth,
    problems,
    failed: (error: unknown) => problems.note({ protocol, reason: "failed", address: "", error }),
  };
}
