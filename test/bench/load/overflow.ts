import { readApiClient } from "../../support/running/read-api-client.ts";
import type { RunningProgram } from "../../support/running/running-program.ts";
import { balances } from "../../support/oracles/watched-books.ts";
import { type BenchRun, CannotRunError } from "../bench-case.ts";
import { residentBytes } from "../servers/process-figures.ts";
import { type Load, sendLoad } from "./h2load.ts";

export const MIB = 2 ** 20;

/** Of the ring whose memory is measured, and what the rest of the process may need. */
export const ARENA_MIB = 64;
const ALLOWANCE_MIB = 100;

/** More slots than spans fit into the arena, so that it is the arena that fills. */
const MAX_SPANS = 250_000;

export const SMALL_RING = {
  MAX_BUFFER_BYTES: `${ARENA_MIB}MiB`,
  MAX_BUFFER_SIZE: String(MAX_SPANS),
};

/** What it may hold at most, given what it holds when nothing goes on. */
export function boundMib(idle: Readings): number {
  return Math.round(Math.max(...idle.residentMib)) + ARENA_MIB + ALLOWANCE_MIB;
}

const IDLE_MS = 2_000;

export function readIdle(program: RunningProgram): Promise<Readings> {
  return readWhile(program, Bun.sleep(IDLE_MS));
}

const READING_INTERVAL_MS = 100;

export function overflowSeconds({ isShort }: BenchRun): number {
  return isShort ? 10 : 60;
}

/** What was seen while something went on. */
export interface Readings {
  readonly residentMib: number[];
  /** How many readings of the ledger there were, and how many of them did not balance. */
  readonly ledgers: number;
  readonly unbalanced: number;
}

export async function readWhile(
  program: RunningProgram,
  work: Promise<unknown>,
): Promise<Readings> {
  const api = readApiClient(program.apiUrl);
  const readings = { residentMib: [] as number[], ledgers: 0, unbalanced: 0 };
  const over = work.then(() => "over");
  // Awaited below; should it fail before that, it is no failure that nobody looks at.
  over.catch(() => {});
  do {
    const { spans, bytes } = await api.stats();
    readings.ledgers += 1;
    if (!balances(spans) || !balances(bytes)) readings.unbalanced += 1;
    readings.residentMib.push(residentBytes(program.pid) / MIB);
  } while ((await Promise.race([over, Bun.sleep(READING_INTERVAL_MS)])) !== "over");
  return readings;
}

const LOAD_TIMEOUT_MS = 120_000;
const REQUESTS_AT_ONCE = 10_000;

/** What is sent. */
export type Body = Pick<Load, "bodyFile" | "encoding">;

/** At full load. */
export async function overflowFor(
  program: RunningProgram,
  body: Body,
  run: BenchRun,
): Promise<void> {
  const untilMs = performance.now() + overflowSeconds(run) * 1000;
  let requests = REQUESTS_AT_ONCE / 100;
  while (performance.now() < untilMs) {
    const requestsPerSecond = await loadOnce(program, { ...body, requests });
    const secondsLeft = Math.max(0, untilMs - performance.now()) / 1000;
    requests = Math.max(1, Math.ceil(requestsPerSecond * Math.min(5, secondsLeft)));
  }
}

/** Requests a second. */
export async function loadOnce(
  { grpcPort: port }: RunningProgram,
  what: Body & { readonly requests: number },
): Promise<number> {
  const outcome = await sendLoad({ ...what, port, timeoutMs: LOAD_TIMEOUT_MS });
  if (outcome.succeeded !== outcome.requests)
    throw new CannotRunError(`${outcome.succeeded} of ${outcome.requests} requests succeeded`);
  return outcome.requestsPerSecond;
}
