import type { Ledger } from "../../../src/domain/ledger.ts";
import { readApiClient } from "../../support/read-api-client.ts";
import { request, resourceSpans, serverSpan, span } from "../../support/request-bytes.ts";
import type { RunningProgram } from "../../support/running-program.ts";
import { bytesField } from "../../support/wire-bytes.ts";
import { type BenchCase, type BenchRun, CannotRunError } from "../bench-case.ts";
import type { Figure } from "../figure.ts";
import { type Load, requireH2load, sendLoad } from "../load/h2load.ts";
import { gzipRequestFile, requestFile } from "../load/request-file.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { residentBytes } from "../servers/process-figures.ts";
import { startBinary } from "../servers/subject.ts";

const MIB = 2 ** 20;
const ARENA_MIB = 64;
const ALLOWANCE_MIB = 100;

/** More slots than spans fit into the arena, so that it is the arena that fills. */
const MAX_SPANS = 250_000;

const READING_INTERVAL_MS = 100;

/** One process, from idle to a minute of overflow; rounds would only repeat the same minute. */
export const memory: BenchCase = {
  name: "memory",
  shows: "that memory stays bounded, and the books balance, at full load and beyond capacity",
  run: async (run) => {
    requireH2load();
    await using program = await startBinary({
      MAX_BUFFER_BYTES: `${ARENA_MIB}MiB`,
      MAX_BUFFER_SIZE: String(MAX_SPANS),
    });
    run.progress("memory: idle");
    const idle = await readWhile(program, Bun.sleep(IDLE_MS));
    run.progress("memory: full load, one span a request, until the ring is full");
    const filling = await readWhile(program, fill(program));
    run.progress(`memory: overflow at full load, for ${overflowSeconds(run)} s`);
    const usual = { bodyFile: requestFile(serverRequestShape(512).bytes) };
    const overflow = await readWhile(program, overflowFor(program, usual, run));
    run.progress("memory: overflow by compressed requests that become 4 MiB each");
    const large = { bodyFile: gzipRequestFile(largeRequest()), encoding: "gzip" } as const;
    const inflated = await readWhile(program, overflowFor(program, large, run));
    run.progress("memory: overflow by requests of which every fifth span is not valid");
    const mixed = { bodyFile: requestFile(mixedRequest()) };
    const partly = await readWhile(program, overflowFor(program, mixed, run));
    return figures({ idle, filling, overflow, inflated, partly });
  },
};

const IDLE_MS = 2_000;

function overflowSeconds({ isShort }: BenchRun): number {
  return isShort ? 10 : 60;
}

/** What was seen while something went on. */
interface Readings {
  readonly residentMib: number[];
  /** How many readings of the ledger there were, and how many of them did not balance. */
  readonly ledgers: number;
  readonly unbalanced: number;
}

async function readWhile(program: RunningProgram, work: Promise<unknown>): Promise<Readings> {
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

function balances(books: Ledger): boolean {
  return (
    books.received === books.rejected + books.accepted &&
    books.accepted ===
      books.buffered + books.taken + books.delivered + books.evicted + books.undeliverable
  );
}

const LOAD_TIMEOUT_MS = 120_000;
const REQUESTS_AT_ONCE = 10_000;

/** Spans one by one: the slowest way to fill a ring, so that it is seen filling. */
async function fill(program: RunningProgram): Promise<void> {
  const { bytes } = serverRequestShape(1);
  const requests = Math.ceil((ARENA_MIB * MIB) / bytes.length);
  await load(program, { bodyFile: requestFile(bytes), requests });
  const { spans } = await readApiClient(program.apiUrl).stats();
  if (spans.evicted === 0) throw new CannotRunError("the ring should be full, and is not");
}

/** One span, of which gzip leaves little: just under the largest message that is taken. */
function largeRequest(): Uint8Array {
  return request(resourceSpans("shop", span(1, bytesField(3, "x".repeat(4 * MIB - 1024)))));
}

function mixedRequest(): Uint8Array {
  const spans = Array.from({ length: 400 }, (_, index) => serverSpan(index + 1));
  const invalid = Array.from({ length: 100 }, () => bytesField(2, bytesField(5, "no identifier")));
  return request(resourceSpans("shop", ...spans, ...invalid));
}

type Body = Pick<Load, "bodyFile" | "encoding">;

async function overflowFor(program: RunningProgram, body: Body, run: BenchRun): Promise<void> {
  const untilMs = performance.now() + overflowSeconds(run) * 1000;
  let requests = REQUESTS_AT_ONCE / 100;
  while (performance.now() < untilMs) {
    const requestsPerSecond = await load(program, { ...body, requests });
    const secondsLeft = Math.max(0, untilMs - performance.now()) / 1000;
    requests = Math.max(1, Math.ceil(requestsPerSecond * Math.min(5, secondsLeft)));
  }
}

async function load(
  { grpcPort: port }: RunningProgram,
  what: Body & { readonly requests: number },
): Promise<number> {
  const outcome = await sendLoad({ ...what, port, timeoutMs: LOAD_TIMEOUT_MS });
  if (outcome.succeeded !== outcome.requests)
    throw new CannotRunError(`${outcome.succeeded} of ${outcome.requests} requests succeeded`);
  return outcome.requestsPerSecond;
}

type Phase = "idle" | "filling" | "overflow" | "inflated" | "partly";

function figures(phases: Readonly<Record<Phase, Readings>>): Figure[] {
  const { idle, filling, overflow, inflated, partly } = phases;
  const bound = Math.round(Math.max(...idle.residentMib)) + ARENA_MIB + ALLOWANCE_MIB;
  const goal = { of: "max", is: "<=", bound } as const;
  const all = Object.values(phases);
  const resident = { unit: "MiB", better: "lower" } as const;
  const count = { unit: "readings", better: "lower" } as const;
  return [
    { ...resident, name: "resident, idle", samples: idle.residentMib },
    { ...resident, name: "resident, filling", samples: filling.residentMib, goal },
    { ...resident, name: "resident, overflow", samples: overflow.residentMib, goal },
    { ...resident, name: "resident, overflow by gzip", samples: inflated.residentMib, goal },
    { ...resident, name: "resident, partly rejected", samples: partly.residentMib, goal },
    { ...count, name: "ledgers read", samples: [sum(all.map(({ ledgers }) => ledgers))] },
    {
      ...count,
      name: "ledgers out of balance",
      samples: [sum(all.map(({ unbalanced }) => unbalanced))],
      goal: { of: "max", is: "<=", bound: 0 },
    },
  ];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
