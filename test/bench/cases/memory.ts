import { readApiClient } from "../../support/running/read-api-client.ts";
import { request, resourceSpans, serverSpan, span } from "../../support/requests/request-bytes.ts";
import type { RunningProgram } from "../../support/running/running-program.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";
import { type BenchCase, CannotRunError } from "../bench-case.ts";
import type { Figure } from "../figure.ts";
import { requireH2load } from "../load/h2load.ts";
import {
  ARENA_MIB,
  boundMib,
  loadOnce,
  MIB,
  overflowFor,
  overflowSeconds,
  readIdle,
  type Readings,
  readWhile,
  SMALL_RING,
} from "../load/overflow.ts";
import { gzipRequestFile, requestFile } from "../load/request-file.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { startBinary } from "../servers/subject.ts";

/**
 * Measures one process, from idle to a minute of overflow; further rounds would only repeat that
 * minute.
 */
export const memory: BenchCase = {
  name: "memory",
  shows: "bounded memory and a balanced ledger, at full load and beyond capacity",
  run: async (run) => {
    requireH2load();
    await using program = await startBinary(SMALL_RING);
    run.progress("memory: idle");
    const idle = await readIdle(program);
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

/** Fills the ring span by span, the slowest way, so that the growth is visible. */
async function fill(program: RunningProgram): Promise<void> {
  const { bytes } = serverRequestShape(1);
  const requests = Math.ceil((ARENA_MIB * MIB) / bytes.length);
  await loadOnce(program, { bodyFile: requestFile(bytes), requests });
  const { spans } = await readApiClient(program.apiUrl).stats();
  if (spans.evicted === 0) throw new CannotRunError("the ring should be full, and is not");
}

/**
 * Returns a request with one span that gzip compresses well, just below the maximum message size.
 */
function largeRequest(): Uint8Array {
  return request(resourceSpans("shop", span(1, bytesField(3, "x".repeat(4 * MIB - 1024)))));
}

function mixedRequest(): Uint8Array {
  const spans = Array.from({ length: 400 }, (_, index) => serverSpan(index + 1));
  const invalid = Array.from({ length: 100 }, () => bytesField(2, bytesField(5, "no identifier")));
  return request(resourceSpans("shop", ...spans, ...invalid));
}

type Phase = "idle" | "filling" | "overflow" | "inflated" | "partly";

function figures(phases: Readonly<Record<Phase, Readings>>): Figure[] {
  const { idle, filling, overflow, inflated, partly } = phases;
  const goal = { of: "max", is: "<=", bound: boundMib(idle) } as const;
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
