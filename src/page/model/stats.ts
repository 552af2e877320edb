import { ageText, countText } from "./format.ts";

/** The ledger of the API, in spans or in bytes. */
export interface Ledger {
  readonly received: number;
  readonly rejected: number;
  readonly accepted: number;
  readonly buffered: number;
  readonly taken: number;
  readonly delivered: number;
  readonly evicted: number;
  readonly undeliverable: number;
}

export const LEDGER_COUNTS = [
  "received",
  "rejected",
  "accepted",
  "buffered",
  "taken",
  "delivered",
  "evicted",
  "undeliverable",
] as const satisfies readonly (keyof Ledger)[];

export type Unit = "spans" | "bytes";

/** The member `forward` of `/api/stats`. */
export interface Forward {
  readonly endpoint: string;
  readonly state: "untried" | "connected" | "backing_off" | "blocked";
  readonly retry_in_ms?: number;
  readonly last_error?: {
    readonly message: string;
    readonly hint?: string;
    readonly time: string;
  };
  readonly spans_per_second: number;
  readonly lag_seconds: number;
  readonly in_flight: { readonly batches: number; readonly spans: number };
  readonly retried_spans: number;
  readonly undeliverable: Readonly<Record<string, number>>;
  readonly batches: Readonly<Record<string, number>>;
}

/** The member `disk` of `/api/stats`. */
export interface Disk {
  readonly durability: "disk" | "process" | "stop";
  readonly state: "writable" | "failing" | "memory_only";
  readonly error?: string;
  readonly used_bytes: number;
  readonly max_bytes: number;
  readonly segments: number;
  readonly queued_bytes: number;
  /** The newest buffered spans, and the oldest, which only taking and forwarding reach. */
  readonly in_memory: Readonly<Record<Unit, number>>;
  readonly only_on_disk: Readonly<Record<Unit, number>>;
  readonly only_in_memory: Readonly<Record<Unit, number>>;
}

/** The requests since the start, by signal. */
export interface Requests {
  readonly traces: number;
  readonly metrics: number;
  readonly logs: number;
}

/** The member `exporters` of `/api/stats`. */
export interface Exporters {
  readonly grpc: { readonly connections: number; readonly requests: Requests };
  readonly http: { readonly requests: Requests };
}

/** A response of `/api/stats`. */
export interface Stats extends Readonly<Record<Unit, Ledger>> {
  readonly capacity: Readonly<Record<Unit, number>>;
  readonly sequence: { readonly run_id: string; readonly first: number; readonly next: number };
  readonly exporters: Exporters;
  readonly forward?: Forward;
  readonly disk?: Disk;
  readonly uptime_seconds: number;
  readonly version: string;
}

/** Returns what is in memory, which the capacity limits. Without a log, everything is. */
export function inMemory(stats: Stats, unit: Unit): number {
  return stats.disk === undefined ? stats[unit].buffered : stats.disk.in_memory[unit];
}

/** A service in a response of `/api/services`. */
export interface ServiceLedger extends Readonly<Record<Unit, Ledger>> {
  readonly service: string;
  readonly lastSeen: string;
}

/** Returns one count over all services. */
export function sumOf(services: readonly ServiceLedger[], unit: Unit, count: keyof Ledger): number {
  return services.reduce((sum, each) => sum + each[unit][count], 0);
}

/** A problem in a response of `/api/problems`. */
export interface Problem {
  readonly protocol: string;
  readonly reason: string;
  readonly address?: string;
  readonly count: number;
  readonly first: string;
  readonly last: string;
  readonly detail?: string;
  readonly hint: string;
}

/** How a state is shown: in words, and as good, bad or neither. */
export interface ShownState {
  readonly text: string;
  readonly tone: "good" | "bad" | "idle";
}

const UPSTREAM_STATES: Readonly<Record<Forward["state"], ShownState>> = {
  untried: { text: "Not tried yet: no span has been forwarded", tone: "idle" },
  connected: { text: "Connected", tone: "good" },
  backing_off: { text: "The upstream fails", tone: "bad" },
  blocked: { text: "The upstream refuses everything", tone: "bad" },
};

export function forwardState({ state }: Forward): ShownState {
  return UPSTREAM_STATES[state];
}

/** Returns when the upstream is tried again; undefined while it works. */
export function retryText({ retry_in_ms: retryMs }: Forward): string | undefined {
  if (retryMs === undefined) return undefined;
  return retryMs === 0 ? "now" : `in ${ageText(Math.ceil(retryMs / 1000))}`;
}

const DISK_STATES: Readonly<Record<Disk["state"], ShownState>> = {
  writable: { text: "Writable", tone: "good" },
  failing: { text: "The disk fails; requests are refused", tone: "bad" },
  memory_only: { text: "The disk fails; new spans are in memory only", tone: "bad" },
};

export function diskState({ state }: Disk): ShownState {
  return DISK_STATES[state];
}

const DURABILITIES: Readonly<Record<Disk["durability"], string>> = {
  disk: "once they are on stable storage, which survives a power cut",
  process: "once they are written, which survives a crash of spanring",
  stop: "once they are in memory",
};

/** Returns when requests are acknowledged. */
export function durabilityText({ durability }: Disk): string {
  return DURABILITIES[durability];
}

/** Returns the counts that are not 0, in words. */
export function countsText(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${countText(count)} ${name.replaceAll("_", " ")}`);
}

/** Returns the requests by signal, such as `12 of traces, 3 of metrics`. */
export function requestsText({ traces, metrics, logs }: Requests): string {
  const counts = { "of traces": traces, "of metrics": metrics, "of logs": logs };
  return countsText(counts).join(", ") || "none";
}
