import { assert } from "../../domain/assert.ts";
import {
  hintFor,
  type ListenerPorts,
  type ProblemKind,
  PROBLEM_KINDS,
  PROBLEM_PROTOCOLS,
  PROBLEM_REASONS,
  type ProblemProtocol,
  type ProblemReason,
  swappedHint,
} from "../../domain/problem-reason.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { Logger } from "../../ports/logger.ts";
import type { Problem, ProblemLog } from "../../ports/problem-log.ts";
import { RateLimitedLog } from "./rate-limited-log.ts";

/** What one peer has done wrong in one way, since it was first seen or last forgotten. */
export interface RecentProblem {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly address: string;
  readonly count: number;
  readonly firstUnixMs: number;
  readonly lastUnixMs: number;
  /** Of the last one. */
  readonly detail: string;
  readonly hint: string;
}

/** How often it has happened since the start, by all peers. */
export interface ProblemTotal {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly count: number;
  /** Of the last one. */
  readonly detail: string;
  readonly hint: string;
}

export interface ProblemRegistryParts {
  readonly logger: Logger;
  readonly clock: TimerClock;
  readonly unixMs: () => number;
  readonly ports: () => ListenerPorts;
}

/** Of each protocol and reason, so that a flood for one reason does not push out the others. */
export const MAX_ADDRESSES = 10;

/**
 * Holds the recent problems: of each protocol and reason a count, and the peers seen last.
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

  /** The newest first. */
  list(): RecentProblem[] {
    const seen = this.rows.flatMap(peersOf);
    const newestFirst = seen.toSorted((one, other) => other.peer.order - one.peer.order);
    return newestFirst.map(({ row, peer }) => recentProblem(row, peer, this.hint(row.reason)));
  }

  /** One for everything that can happen, also where it has not. */
  totals(): ProblemTotal[] {
    return this.rows.map(({ protocol, reason, total: count, detail }) => {
      return { protocol, reason, count, detail, hint: this.hint(reason) };
    });
  }

  /** Writes what is not written yet. */
  close(): void {
    for (const { log } of this.rows) log.close();
  }
}

/** Together they mean that two ports are swapped. */
const SWAPPED = [
  ["http", "grpc_on_http"],
  ["grpc", "http_on_grpc"],
] as const;

interface Row {
  readonly protocol: ProblemProtocol;
  readonly reason: ProblemReason;
  readonly log: RateLimitedLog;
  /** The one seen last is last. */
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
  /** Which of all that were noted was its last one. */
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
 * A full ring evicts with every request, so one by the same peer as the last is cheap: nothing is
 * moved or made for it.
 */
function noteIn(
  row: Row,
  { address: given, count = 1, detail: told = "", error }: Problem,
  { nowUnixMs, order }: { readonly nowUnixMs: number; readonly order: number },
): void {
  const address = addressText(given);
  const peer = row.newest?.address === address ? row.newest : moveToEnd(row, address, nowUnixMs);
  row.detail = told === "" ? "" : ownCopy(quotePeerText(told));
  row.error = error;
  row.newest = peer;
  row.total += count;
  peer.count += count;
  peer.lastUnixMs = nowUnixMs;
  peer.detail = row.detail;
  peer.order = order;
  row.log.note("count", undefined, count);
}

/** The peer of this address, and where it is not known, a new one. */
function moveToEnd({ peers }: Row, address: string, nowUnixMs: number): Peer {
  const known = peers.get(address);
  if (known === undefined) makeRoom(peers);
  else peers.delete(address);
  const unseen = { lastUnixMs: nowUnixMs, count: 0, detail: "", order: 0 };
  const peer = known ?? { address, firstUnixMs: nowUnixMs, ...unseen };
  peers.set(address, peer);
  return peer;
}

/** A map goes through its keys in the order in which they were set: the first is the oldest. */
function makeRoom(peers: Map<string, Peer>): void {
  if (peers.size < MAX_ADDRESSES) return;
  const [oldest] = peers.keys();
  peers.delete(oldest!);
}

/** What is cut out of a long text may keep all of it in memory. */
function ownCopy(text: string): string {
  return new TextDecoder().decode(new TextEncoder().encode(text));
}

/** IPv4 on a socket of IPv6 is the same peer. */
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
