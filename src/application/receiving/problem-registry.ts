import { assert } from "../../domain/assert.ts";
import {
  type ProblemKind,
  PROBLEM_KINDS,
  PROBLEM_PROTOCOLS,
  PROBLEM_REASONS,
  type ProblemProtocol,
  type ProblemReason,
} from "../../domain/problem-reason.ts";
import { hintFor, type ListenerPorts, swappedHint } from "../../domain/problem-text.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger, Problem, ProblemLog } from "../../ports/logger.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";

/** The problems of one peer for one reason, since the peer was first seen or last forgotten. */
export interface RecentProblem {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly address: string;
  readonly count: number;
  readonly firstUnixMs: number;
  readonly lastUnixMs: number;
  /** The detail of the latest problem. */
  readonly detail: string;
  readonly hint: string;
}

/** The number of problems for one reason since the start, over all peers. */
export interface ProblemTotal {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly count: number;
  /** The detail of the latest problem. */
  readonly detail: string;
  readonly hint: string;
}

export interface ProblemRegistryParts {
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly unixMs: () => number;
  readonly ports: () => ListenerPorts;
}

/**
 * Limits the addresses for each protocol and reason, so that a flood for one reason does not
 * displace others.
 */
export const MAX_ADDRESSES = 10;

/**
 * Holds recent problems: a count for each protocol and reason, and the peers seen last.
 *
 *   grpc malformed   total 7   [ 10.0.0.9: 2 ][ 10.0.0.4: 5 ]      the peer seen last is last
 *   grpc too_large   total 0
 *   http malformed   ...
 *
 * Invariant: every row has at most `MAX_ADDRESSES` peers, and the sum of their counts <= its total.
 */
export class ProblemRegistry implements ProblemLog {
  // Fixed at construction.
  private readonly parts: ProblemRegistryParts;
  private readonly rows: readonly Row[];
  private readonly rowsByName: RowsByName;

  // Moved by `note`.
  private noteCount = 0;

  constructor(parts: ProblemRegistryParts) {
    this.parts = parts;
    this.rows = createRows(parts.clock, (row, count) =>
      writeLine(parts.logger, row, count, this.hint(row.reason)),
    );
    this.rowsByName = byName(this.rows);
  }

  note(problem: Problem): void {
    const row = this.rowsByName[problem.protocol][problem.reason];
    assert(row !== undefined, "a reason belongs to the protocol that it is noted for");
    this.noteCount += 1;
    noteIn(row, problem, { nowUnixMs: this.parts.unixMs(), order: this.noteCount });
  }

  hint(reason: ProblemReason): string {
    const ports = this.parts.ports();
    const isEvery = SWAPPED.every(([protocol, each]) => this.rowsByName[protocol][each]!.total > 0);
    const isSwapped = isEvery && (reason === "grpc_on_http" || reason === "http_on_grpc");
    return isSwapped ? swappedHint(ports) : hintFor(reason, ports);
  }

  /** Returns the problems, newest first. */
  list(): RecentProblem[] {
    const seen = this.rows.flatMap(peersOf);
    const newestFirst = seen.toSorted((one, other) => other.peer.order - one.peer.order);
    return newestFirst.map(({ row, peer }) => recentProblem(row, peer, this.hint(row.reason)));
  }

  /** Returns a total for each protocol and reason, including those without a problem. */
  totals(): ProblemTotal[] {
    return this.rows.map(({ protocol, reason, total: count, detail }) => {
      return { protocol, reason, count, detail, hint: this.hint(reason) };
    });
  }

  /** Logs the counts that have not been logged yet. */
  close(): void {
    for (const { log } of this.rows) log.close();
  }
}

/** A pair of problems which together mean that two ports are swapped. */
const SWAPPED = [
  ["http", "grpc_on_http"],
  ["grpc", "http_on_grpc"],
] as const;

interface Row {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly log: RateLimitedLog;
  /** The peers in the order in which they were last seen. */
  readonly peers: Map<string, Peer>;
  newest: Peer | undefined;
  total: number;
  detail: string;
  error: unknown;
}

type RowsByName = Readonly<Record<ProblemProtocol, Partial<Record<ProblemReason, Row>>>>;

interface Peer {
  readonly address: string;
  readonly firstUnixMs: number;
  lastUnixMs: number;
  count: number;
  detail: string;
  /** The position of its latest problem among all problems. */
  order: number;
}

function createRows(clock: TimerClock, write: WriteRow): readonly Row[] {
  return PROBLEM_PROTOCOLS.flatMap((protocol) => {
    const reasons = PROBLEM_REASONS.filter((reason) => canHappen(protocol, reason));
    return reasons.map((reason) => createRow({ protocol, reason }, clock, write));
  });
}

type WriteRow = (row: Row, count: number) => void;

function createRow(
  { protocol, reason }: Pick<Row, "protocol" | "reason">,
  clock: TimerClock,
  write: WriteRow,
): Row {
  const row: Row = {
    protocol,
    reason,
    log: new RateLimitedLog(clock, ({ count }) => write(row, count as number)),
    peers: new Map(),
    newest: undefined,
    total: 0,
    detail: "",
    error: undefined,
  };
  return row;
}

function byName(rows: readonly Row[]): RowsByName {
  const named: Record<ProblemProtocol, Partial<Record<ProblemReason, Row>>> = {
    grpc: {},
    http: {},
    api: {},
  };
  for (const row of rows) named[row.protocol][row.reason] = row;
  return named;
}

function canHappen(protocol: ProblemProtocol, reason: ProblemReason): boolean {
  const { protocols }: ProblemKind = PROBLEM_KINDS[reason];
  return protocols.includes(protocol);
}

/**
 * Notes a problem. A full ring causes one with every request, so the path for a repeated peer
 * neither moves nor allocates anything.
 */
function noteIn(
  row: Row,
  { address: given, count = 1, detail = "", error }: Problem,
  { nowUnixMs, order }: { readonly nowUnixMs: number; readonly order: number },
): void {
  const address = addressText(given);
  const peer = row.newest?.address === address ? row.newest : moveToEnd(row, address, nowUnixMs);
  row.detail = detail === "" ? "" : ownCopy(quotePeerText(detail));
  row.error = error;
  row.newest = peer;
  row.total += count;
  peer.count += count;
  peer.lastUnixMs = nowUnixMs;
  peer.detail = row.detail;
  peer.order = order;
  row.log.note("count", undefined, count);
}

/** Returns the peer of this address, creating it if needed, as the newest of its row. */
function moveToEnd({ peers }: Row, address: string, nowUnixMs: number): Peer {
  const known = peers.get(address);
  if (known === undefined) makeRoom(peers);
  else peers.delete(address);
  const unseen = { lastUnixMs: nowUnixMs, count: 0, detail: "", order: 0 };
  const peer = known ?? { address, firstUnixMs: nowUnixMs, ...unseen };
  peers.set(address, peer);
  return peer;
}

/** Forgets the oldest peer: a map iterates in the order of insertion. */
function makeRoom(peers: Map<string, Peer>): void {
  if (peers.size < MAX_ADDRESSES) return;
  const [oldest] = peers.keys();
  peers.delete(oldest!);
}

/** Returns a copy, because a substring may keep the whole text in memory. */
function ownCopy(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** Returns an IPv4 address without its IPv6 prefix, so that each peer has only one address. */
function addressText(address: string): string {
  return address.startsWith(MAPPED_IPV4) ? address.slice(MAPPED_IPV4.length) : address;
}

const MAPPED_IPV4 = "::ffff:";

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function writeLine(logger: Logger, row: Row, count: number, hint: string): void {
  const { protocol, reason, newest, detail, error } = row;
  const line = {
    protocol,
    reason,
    count,
    ...(newest === undefined || newest.address === "" ? {} : { address: newest.address }),
    ...(detail === "" ? {} : { detail }),
    ...(error === undefined ? {} : { error: errorText(error) }),
    hint,
  };
  if (reason === "failed") logger.error("receive_failed", line);
  else logger.warning("problem", line);
}

function peersOf(row: Row): { row: Row; peer: Peer }[] {
  return [...row.peers.values()].map((peer) => ({ row, peer }));
}

function recentProblem({ protocol, reason }: Row, peer: Peer, hint: string): RecentProblem {
  const { address, count, firstUnixMs, lastUnixMs, detail } = peer;
  return { protocol, reason, address, count, firstUnixMs, lastUnixMs, detail, hint };
}
