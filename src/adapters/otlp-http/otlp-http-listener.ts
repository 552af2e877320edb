import { stopWithin } from "../../application/shutdown/life-cycle.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import type { LimitsConfig, ListenAddress } from "../../config/config.ts";
import type { SleepingClock } from "../../ports/clock.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { PausableListener } from "../listening/descriptor-guard.ts";
import { ServedPort } from "../listening/served-port.ts";
import { CollectionPace } from "../memory/collection-pace.ts";
import type { InFlightBudget } from "../memory/in-flight-budget.ts";
import { answerResponse } from "./answer-response.ts";
import { BodyDrain } from "./body-drain.ts";
import type { BodyFormat } from "./request-body.ts";
import { Cors } from "./cors.ts";
import { answerExport } from "./export-request.ts";
import { type Peer, RequestTable, type RequestTableParts } from "./request-table.ts";

export interface OtlpHttpListenerParts {
  readonly address: ListenAddress;
  /** By the encoding of the body, so that each may count for itself. */
  readonly receivers: Readonly<Record<BodyFormat, TraceReceiver>>;
  /** Without it, there is nothing at the paths of metrics and logs. */
  readonly unsupported?: UnsupportedSignals | undefined;
  readonly limits: LimitsConfig;
  /** Of one body, before and after decompression. */
  readonly maxBodyBytes: number;
  /** Of pages that may send; `*` among them stands for any. */
  readonly corsOrigins: readonly string[];
  /** Shared with every other listener. */
  readonly budget: InFlightBudget;
  readonly problems: ProblemLog;
  readonly clock: SleepingClock;
}

export interface OtlpHttpListener extends PausableListener {
  /** The port in use, also where the address asked for any. */
  readonly port: number;
  /** Takes no more connections, finishes what is in flight, and ends by force in time. */
  stop(graceMs: number): Promise<void>;
  counts(): OtlpHttpListenerCounts;
}

export interface OtlpHttpListenerCounts {
  readonly requestsInFlight: number;
}

/** The most that Bun.serve can. */
export const MAX_IDLE_SECONDS = 255;

const EXPIRY_INTERVAL_MS = 1_000;

const NO_ONE: Peer = { address: "", port: 0 };

/**
 * OTLP/HTTP, on HTTP/1.1 and HTTP/2 without TLS, on one port. Throws when it cannot listen: the
 * error's `code` is `EADDRINUSE` when the port is taken.
 *
 * What cannot be bounded, since Bun.serve shows requests and no connections: how many connections
 * there are, how long one waits before its first request (only by the idle time), how old one
 * becomes. HTTP/2 streams are 256 a connection, as Bun has it. See `RequestTable` for what can. Nor
 * can what is no HTTP be recorded, such as TLS: Bun answers it with 400, and nothing else sees it.
 */
export function startOtlpHttpListener(parts: OtlpHttpListenerParts): OtlpHttpListener {
  const house = build(parts);
  // Exporters send again what was broken off.
  const served = new ServedPort({
    serve: (port) => serve({ ...parts, house, port }),
    port: parts.address.port,
    mayBreakOff: true,
  });
  const expiry = setInterval(house.table.expire.bind(house.table), EXPIRY_INTERVAL_MS);
  return {
    port: served.port,
    relieve: () => served.relieve(),
    pause: () => served.pause(),
    resume: () => served.resume(),
    stop: async (graceMs) => {
      house.table.stop();
      house.drain.stop();
      await stopWithin(graceMs, {
        gently: () => served.stop(),
        byForce: () => served.abort(),
      });
      clearInterval(expiry);
    },
    counts: () => ({ requestsInFlight: house.table.size }),
  };
}

interface ServeParts extends Pick<OtlpHttpListenerParts, "address" | "limits"> {
  readonly house: ReturnType<typeof build>;
  readonly port: number;
}

function serve({ address, limits, house, port }: ServeParts) {
  return Bun.serve({
    hostname: address.host,
    port,
    http2: true,
    idleTimeout: Math.min(MAX_IDLE_SECONDS, Math.ceil(limits.idleMs / 1000)),
    // We count ourselves: Bun would answer without a status for the exporter to read.
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    development: false,
    // Without it `development: false` shares the port with whoever else does the same (Bun 1.4.5).
    reusePort: false,
    fetch: (request, own) => answerExport(house, request, own.requestIP(request) ?? NO_ONE),
    error: (error) => {
      house.failed(error);
      return answerResponse({ outcome: "failed", message: "a fault of the server" }, "json");
    },
  });
}

/** Builds the parts; nothing listens yet. */
function build({ limits, budget, clock, problems, ...parts }: OtlpHttpListenerParts) {
  const protocol = "http";
  const refused: RequestTableParts["refused"] = (reason, address) =>
    problems.note({ protocol, reason, address });
  return {
    receivers: parts.receivers,
    unsupported: parts.unsupported,
    table: new RequestTable({ limits, budget, clock, refused }),
    drain: new BodyDrain(clock),
    pace: new CollectionPace(),
    cors: parts.corsOrigins.length === 0 ? undefined : new Cors(parts.corsOrigins),
    budget,
    // What could never be in flight is told so at once, instead of to come back for ever.
    maxBytes: Math.min(parts.maxBodyBytes, limits.inFlightBytes),
    nestingDepth: limits.nestingDepth,
    problems,
    failed: (error: unknown) => problems.note({ protocol, reason: "failed", address: "", error }),
  };
}
