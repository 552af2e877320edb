import type { Turns } from "../alternate-timing.ts";
import type { BenchCase, BenchRun } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import type { Figure, Goal } from "../figure.ts";
import type * as JsonLoop from "../loops/json-loop.ts";
import {
  REQUEST_SHAPES,
  type RequestShape,
  SERVER_SPANS,
  WRITTEN_SHAPES,
} from "../request-corpus.ts";

const READ_GOAL: Goal = { of: "median", is: "<=", bound: 1_400 };
const WRITE_GOAL: Goal = { of: "median", is: "<=", bound: 5_000 };

/**
 * Compares the reader of OTLP/JSON with `JSON.parse`, which checks less and makes objects, and the
 * writer with `JSON.stringify`, which needs objects.
 */
export const json: BenchCase = {
  name: "json",
  shows: "the cost of converting a span between OTLP/JSON and protobuf, next to JSON.parse",
  run: async (run) => {
    const loop = await importBundled<typeof JsonLoop>("loops/json-loop.ts");
    return [
      ...REQUEST_SHAPES.map((shape) => readFigure(shape, loop, run)),
      ...WRITTEN_SHAPES.map((shape) => writeFigure(shape, loop, run)),
    ];
  },
};

function readFigure(shape: RequestShape, { timeJson }: typeof JsonLoop, run: BenchRun): Figure {
  run.progress(`json: read ${shape.name}`);
  const samples = timeJson(shape, turnsOf(run));
  return {
    name: `read ${shape.name}`,
    unit: "ns/span",
    better: "lower",
    samples: samples.read,
    reference: { name: "JSON.parse", samples: samples.parse },
    ...(shape === SERVER_SPANS ? { goal: READ_GOAL } : {}),
  };
}

function writeFigure(
  shape: RequestShape,
  { timeJsonWriting }: typeof JsonLoop,
  run: BenchRun,
): Figure {
  run.progress(`json: write ${shape.name}`);
  const samples = timeJsonWriting(shape, turnsOf(run));
  return {
    name: `write ${shape.name}`,
    unit: "ns/span",
    better: "lower",
    samples: samples.write,
    reference: { name: "JSON.stringify", samples: samples.stringify },
    ...(shape === SERVER_SPANS ? { goal: WRITE_GOAL } : {}),
  };
}

function turnsOf({ rounds, isShort }: BenchRun): Turns {
  return { rounds, roundMs: isShort ? 100 : 400 };
}
