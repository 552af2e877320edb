import { readApiClient } from "../../support/running/read-api-client.ts";
import type { RunningProgram } from "../../support/running/running-program.ts";
import { balances } from "../../support/oracles/watched-ledger.ts";
import { type BenchRun, CannotRunError } from "../bench-case.ts";
import { residentBytes } from "../servers/process-figures.ts";
import { type Load, sendLoad } from "./h2load.ts";

export const MIB = 2 ** 20;

/** The size of the ring whose memory is measured. */
export const ARENA_MIB = 64;
const ALLOWANCE_MIB = 100;

/** More slots than spans fit into the arena, so that the arena fills up first. */
const MAX_SPANS = 250_000;

export const SMALL_RING = {
  MAX_BUFFER_BYTES: `${ARENA_MIB}MiB`,
  MAX_BUFFER_SIZE: String(MAX_SPANS),
};

/** Returns the maximum memory, given the memory when idle. */
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

/** The readings while something went on. */
export interface Readings {
  readonly residentMib: number[];
  /** The number of readings of the ledger, and how many of them did not balance. */
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
  // This is awaited below; an earlier failure must not count as unhandled.
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

/** The body of the requests. */
export type Body = Pick<Load, "bodyFile" | "encoding">;

/** Sends at full load. */
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

/** Returns the requests per second. */
export async function loadOnce(
  { grpcPort: port }: RunningProgram,
  what: Body & { readonly requests: number },
): Promise<number> {
  const outcome = await sendLoad({ ...what, port, timeoutMs: LOAD_TIMEOUT_MS });
  if (outcome.succeeded !== outcome.requests)
    throw new CannotRunError(`${outcome.succeeded} of ${outcome.requests} requests succeeded`);
  return outcome.requestsPerSecond;
}
