/** The durations of spans; null if none is known. */
export interface Percentiles {
  readonly p50Nano: number | null;
  readonly p95Nano: number | null;
  readonly p99Nano: number | null;
}

/** An operation in a response of `/api/operations`. */
export interface Operation extends Percentiles {
  readonly service: string;
  readonly name: string;
  readonly spans: number;
  readonly errors: number;
  readonly spansPerSecond: number | null;
  readonly lastSeen: string | null;
}

/** The spans that a response covers. */
export interface SequenceRange {
  readonly run_id: string;
  readonly first: number;
  readonly next: number;
}

/** A response of `/api/operations`. */
export interface Operations {
  readonly operations: readonly Operation[];
  readonly otherSpans: number;
  readonly sequence: SequenceRange;
}

export interface GraphService {
  readonly service: string;
  readonly spans: number;
  readonly errors: number;
}

/** The calls from one service to another. */
export interface Call extends Percentiles {
  readonly from: string;
  readonly to: string;
  readonly calls: number;
  readonly errors: number;
  readonly links: number;
}

/** A response of `/api/service-graph`. */
export interface ServiceGraph {
  readonly services: readonly GraphService[];
  readonly calls: readonly Call[];
  readonly unknownParents: number;
  readonly unknownLinks: number;
  readonly others: number;
}

/** Returns the URL of the traces with spans of a service, of an operation, or with its errors. */
export function tracesUrl(service: string, name?: string, status?: "error"): string {
  const query = new URLSearchParams({ service });
  if (name !== undefined && name !== "") query.set("name", name);
  if (status !== undefined) query.set("status", status);
  return `/?${query}`;
}

/** Returns the operations with this text in their name or service; letters match in either case. */
export function operationsWith(operations: readonly Operation[], text: string): Operation[] {
  const wanted = text.trim().toLowerCase();
  return operations.filter(({ service, name }) =>
    `${service}\n${name}`.toLowerCase().includes(wanted),
  );
}

/** Says whom a service calls, and who calls it, for those who do not see the map. */
export function callsText(service: string, calls: readonly Call[]): string {
  const callees = calls.filter(({ from }) => from === service).map(({ to }) => to);
  const callers = calls.filter(({ to }) => to === service).map(({ from }) => from);
  const parts = [
    callees.length > 0 && `calls ${callees.join(", ")}`,
    callers.length > 0 && `called by ${callers.join(", ")}`,
  ];
  return parts.filter((part) => part !== false).join("; ");
}

/** Limits how long a page may read what takes long: to a tenth of the time. */
const RESTS_PER_READ = 9;
const MIN_REST_MS = 2000;

/** Returns the pause after a request that searches the whole buffer. */
export function restMs(elapsedMs: number): number {
  return Math.max(MIN_REST_MS, RESTS_PER_READ * elapsedMs);
}
