import { percentile } from "../bench/figure.ts";
import { openExportClient } from "../support/running/export-client.ts";
import type { Ports } from "./attack-case.ts";
import { HttpClient, requestOnce } from "./wire/http-client.ts";
import { HEALTH, http1Request } from "./wire/http1-talk.ts";
import { SMALL_REQUEST } from "./wire/payloads.ts";

export const LANE_NAMES = ["grpc-kept", "grpc-new", "http-kept", "http-new", "api"] as const;
export type LaneName = (typeof LANE_NAMES)[number];

/** The results of well-behaved clients on one lane. */
export interface LaneFigures {
  readonly lane: LaneName;
  readonly sent: number;
  /** The number of requests that were refused, aborted or not answered in time. */
  readonly lost: number;
  /** Those of them that were not answered in time. */
  readonly unanswered: number;
  /** The 99th percentile over all requests; a lost request counts with at least its time limit. */
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The reasons why requests were lost, with their counts. */
  readonly reasons: Readonly<Record<string, number>>;
}

interface Client {
  /** Sends a request. Rejects if it is not accepted. */
  request(): Promise<void>;
  close(): void;
}

const INTERVAL_MS: Readonly<Record<LaneName, number>> = {
  "grpc-kept": 50,
  "grpc-new": 100,
  "http-kept": 50,
  "http-new": 100,
  api: 50,
};
/**
 * A connection of HTTP/1.1 takes one request at a time, so requests would queue at a single one.
 */
const KEPT_CONNECTIONS = 4;
/** Requests sent before measuring, which compile the code and open the connections. */
const WARM_UP_REQUESTS = 20;

/** The reason for the loss of a request that is not answered in time. */
const TOO_LATE = "too late";

/** Runs well-behaved clients on all lanes, from open to close. */
export class Lanes {
  private readonly lanes: readonly Lane[];

  private constructor(lanes: readonly Lane[]) {
    this.lanes = lanes;
  }

  static async open(ports: Ports, lostAfterMs: number): Promise<Lanes> {
    const lanes = LANE_NAMES.map((name) => new Lane(name, clientOf(name, ports), lostAfterMs));
    await Promise.all(lanes.map((lane) => lane.warmUp()));
    return new Lanes(lanes);
  }

  start(): void {
    for (const lane of this.lanes) lane.start();
  }

  /** Stops sending, and waits for pending requests. */
  async finish(): Promise<LaneFigures[]> {
    return await Promise.all(this.lanes.map((lane) => lane.finish()));
  }
}

/**
 * Sends requests at a steady pace, whether or not earlier ones have been answered, and measures
 * from the time at which each was due. A blocked receiver delays every request, and each of them
 * counts.
 */
class Lane {
  private readonly name: LaneName;
  private readonly client: Client;
  private readonly lostAfterMs: number;
  private readonly latencies: number[] = [];
  private readonly reasons: Record<string, number> = {};
  private readonly underWay = new Set<Promise<void>>();
  private timer: Timer | undefined;

  constructor(name: LaneName, client: Client, lostAfterMs: number) {
    this.name = name;
    this.client = client;
    this.lostAfterMs = lostAfterMs;
  }

  async warmUp(): Promise<void> {
    for (let sent = 0; sent < WARM_UP_REQUESTS; sent += 1) await this.client.request();
  }

  start(): void {
    this.timer = setInterval(() => this.send(), INTERVAL_MS[this.name]);
  }

  async finish(): Promise<LaneFigures> {
    clearInterval(this.timer);
    await Promise.all(this.underWay);
    this.client.close();
    return figuresOf(this.name, this.latencies, this.reasons);
  }

  private send(): void {
    const sent = this.measure();
    this.underWay.add(sent);
    void sent.finally(() => this.underWay.delete(sent));
  }

  private async measure(): Promise<void> {
    const startMs = performance.now();
    try {
      await inTime(this.client.request(), this.lostAfterMs);
    } catch (error) {
      const reason = reasonOf(error);
      this.reasons[reason] = (this.reasons[reason] ?? 0) + 1;
    }
    this.latencies.push(performance.now() - startMs);
  }
}

function figuresOf(
  lane: LaneName,
  latencies: readonly number[],
  reasons: Readonly<Record<string, number>>,
): LaneFigures {
  const sorted = latencies.toSorted((one, other) => one - other);
  const lost = Object.values(reasons).reduce((sum, count) => sum + count, 0);
  const [p99Ms, maxMs] = [percentile(sorted, 0.99) ?? 0, sorted.at(-1) ?? 0];
  const unanswered = reasons[TOO_LATE] ?? 0;
  return { lane, sent: sorted.length, lost, unanswered, p99Ms, maxMs, reasons };
}

async function inTime(request: Promise<void>, limitMs: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(TOO_LATE)), limitMs);
  await Promise.race([request, late.promise]).finally(() => clearTimeout(timer));
}

/** Returns a gRPC status, a system error, or a sentence. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "number") return `grpc ${code}`;
  return typeof code === "string" ? code : error.message;
}

function clientOf(name: LaneName, ports: Ports): Client {
  if (name === "grpc-kept") return keptGrpc(ports.grpc);
  if (name === "grpc-new") return each(() => exportOnce(ports.grpc));
  if (name === "http-kept") return keptHttp(ports.http, [EXPORT]);
  if (name === "http-new") return each(() => requestOnce(ports.http, EXPORT).then(mustBeOk));
  return keptHttp(ports.api, [HEALTH, STATS]);
}

/** The token of all lanes, which a receiver without tokens ignores. */
export const LANE_TOKEN = "of-well-behaved-clients";
const KEY = { "x-api-key": LANE_TOKEN };

const EXPORT = http1Request({
  headers: { "Content-Type": "application/x-protobuf", ...KEY },
  body: SMALL_REQUEST,
});
const STATS = http1Request({ method: "GET", path: "/api/stats" });

function keptGrpc(port: number): Client {
  const client = openExportClient(port, KEY);
  return {
    request: async () => void (await client.export(SMALL_REQUEST)),
    close: () => client[Symbol.dispose](),
  };
}

async function exportOnce(port: number): Promise<void> {
  using client = openExportClient(port, KEY);
  await client.export(SMALL_REQUEST);
}

/** Sends the requests in turn, each on the next connection. */
function keptHttp(port: number, requests: readonly Uint8Array[]): Client {
  const clients = Array.from({ length: KEPT_CONNECTIONS }, () => new HttpClient(port));
  let turn = 0;
  return {
    request: async () => {
      const [round, at] = [Math.floor(turn / clients.length), turn % clients.length];
      turn += 1;
      mustBeOk(await clients[at]!.request(requests[round % requests.length]!));
    },
    close: () => {
      for (const client of clients) client.close();
    },
  };
}

/** A client that opens a connection for each request. */
function each(request: () => Promise<void>): Client {
  return { request, close: () => {} };
}

function mustBeOk(status: number): void {
  if (status !== 200) throw new Error(`status ${status}`);
}
