import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { afterEach } from "bun:test";
import {
  type ReadApi,
  type ReadApiParts,
  startReadApi,
} from "../../../src/adapters/read-api/read-api.ts";
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { Arrivals } from "../../../src/application/arrivals/arrivals.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import type { ProblemRegistry } from "../../../src/application/receiving/problem-registry.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { exporterCounts } from "../fakes/exporter-counts.ts";
import { recordingProblems } from "../fakes/problem-totals.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { requestOf } from "../requests/request-bytes.ts";
import type { TraceReceiver } from "../../../src/ports/trace-receiver.ts";
import type { SpanReader } from "../../../src/ports/trace-buffer.ts";

export interface RunningReadApi {
  readonly api: ReadApi;
  readonly ring: ObservabilityBuffer;
  readonly logger: RecordingLogger;
  readonly problems: ProblemRegistry;
  /** Appends a request like a listener. */
  put(request: Uint8Array): void;
  request(path: string, init?: RequestInit): Promise<Response>;
  /**
   * Resolves when this many requests wait for spans or follow them, once the server has received
   * them.
   */
  waiters(count: number): Promise<void>;
  /** Does what the program does first when it stops. */
  beginToStop(): void;
}

export interface ReadApiSetting extends Partial<Omit<ReadApiParts, "buffer">> {
  /** Number of spans, numbered from 1, each in its own request. */
  readonly spanCount?: number;
  readonly capacity?: { readonly spans: number; readonly bytes: number };
  /** Methods that replace those of the buffer, to simulate faults. */
  readonly faults?: Partial<SpanReader>;
}

/** The run identifier of every read API that a test starts. */
export const RUN_ID = "0123456789abcdef";

/** Where spans can be sent, according to every read API that a test starts. */
export const RECEIVERS: ReturnType<ReadApiParts["receivers"]> = {
  grpc: { host: "unix:/run/spans", tls: false, client_certificate: false, token: true },
  http: { host: "0.0.0.0", port: 14_318, tls: true, client_certificate: true, token: true },
};

const STOPPED: TraceReceiver = { receive: () => ({ outcome: "stopping", message: "stopped" }) };
const NO_RECEIVERS = { protobuf: STOPPED, json: STOPPED };
const NARROW = { requestBytes: 1024, spansPerRequest: 10, nestingDepth: 10 };
const NO_BUDGET = { capacityBytes: 1024, clock: SYSTEM_CLOCK };

const running: Pick<RunningReadApi, "api" | "problems">[] = [];
const SMALL_RING = { spans: 100, bytes: 2 ** 16 };

/**
 * Runs a read API on a free port of 127.0.0.1, over a ring of five spans; it is stopped with the
 * test.
 */
export function runReadApi(setting: ReadApiSetting = {}): RunningReadApi {
  const { spanCount = 5, capacity = SMALL_RING, faults = {}, ...parts } = setting;
  const ring = ObservabilityBuffer.create(capacity, { codec: new ProtobufSpanCodec() });
  const arrivals = new Arrivals(ring, capacity);
  const put = putInto(arrivals);
  for (let number = 1; number <= spanCount; number += 1) put(requestOf(1, number));
  const watched = watchWaiters(arrivals);
  const logger = new RecordingLogger();
  const problems = recordingProblems(logger);
  const stopping = new AbortController();
  const api = startReadApi({
    address: { host: "127.0.0.1", port: 0 },
    buffer: Object.assign(Object.create(ring) as ObservabilityBuffer, faults),
    runId: RUN_ID,
    arrivals: watched.arrivals,
    stopping: stopping.signal,
    readiness: () => "ready",
    highWater: () => undefined,
    problems,
    exporters: () => exporterCounts(),
    clock: SYSTEM_CLOCK,
    turns: new FairTurns(SYSTEM_CLOCK),
    inFlight: new InFlightBudget(NO_BUDGET),
    uptimeMs: () => 12_345.6,
    version: "1.2.3",
    receivers: () => RECEIVERS,
    upload: { receivers: NO_RECEIVERS, limits: NARROW, budget: new InFlightBudget(NO_BUDGET) },
    metrics: () => ({ contentType: "text/plain", text: "up 1\n" }),
    logger,
    ...parts,
  });
  running.push({ api, problems });
  const request = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${api.port}${path}`, init);
  const { waiters } = watched;
  const beginToStop = () => stopping.abort();
  return { api, ring, logger, problems, put, request, waiters, beginToStop };
}

/** Reports when there are as many subscriptions as a test waits for. */
function watchWaiters(arrivals: Arrivals) {
  const wakers = new Set<() => void>();
  let count = 0;
  const change = (by: number): void => {
    count += by;
    for (const wake of wakers) wake();
  };
  const counted = (forget: () => void) => {
    change(1);
    return () => {
      forget();
      change(-1);
    };
  };
  const waiters = (wanted: number): Promise<void> =>
    new Promise((resolve) => {
      const look = () => void (count === wanted && wakers.delete(look) && resolve());
      wakers.add(look);
      look();
    });
  const watchedArrivals: ReadApiParts["arrivals"] = {
    subscribe: (filter, arrived) => {
      const unsubscribe = arrivals.subscribe(filter, arrived);
      return unsubscribe && counted(unsubscribe);
    },
    onNext: (sequence, wake) => counted(arrivals.onNext(sequence, wake)),
    showArrived: () => arrivals.showArrived(),
    take: (spanCount) => arrivals.take(spanCount),
    clear: () => arrivals.clear(),
    get seenNext() {
      return arrivals.seenNext;
    },
  };
  return { arrivals: watchedArrivals, waiters };
}

function putInto(arrivals: Arrivals): (request: Uint8Array) => void {
  const walked = createWalkedRequest({ spansPerRequest: 1_000_000, nestingDepth: 100 });
  return (request) => {
    walkRequest(walked, request);
    if (walked.fault !== 0 || walked.rejectedSpans > 0) throw new Error("not a valid request");
    arrivals.append(walked);
  };
}

/** Must be called once in a test file that runs read APIs. */
export function stopReadApisAfterEach(): void {
  afterEach(async () => {
    const ended = running.splice(0);
    await Promise.all(ended.map(({ api }) => api.abort()));
    for (const { problems } of ended) problems.close();
  });
}

export const AS_PROTOBUF = { headers: { Accept: "application/x-protobuf" } };
export const AS_NDJSON = { headers: { Accept: "application/x-ndjson" } };

/** Returns the parsed lines of NDJSON. */
export async function linesOf(response: Response): Promise<Record<string, unknown>[]> {
  const lines = (await response.text()).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Returns the first and the next sequence in the headers of a response. */
export function rangeOf({ headers }: Response): (string | null)[] {
  return [headers.get("spanring-first-sequence"), headers.get("spanring-next-sequence")];
}
