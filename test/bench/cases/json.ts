import type { BenchCase, BenchRun } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import type { Figure, Goal } from "../figure.ts";
import type * as JsonLoop from "../loops/json-loop.ts";
import { REQUEST_SHAPES, type RequestShape, SERVER_SPANS } from "../request-corpus.ts";

const GOAL: Goal = { of: "median", is: "<=", bound: 1_400 };

/** Compares the reader of OTLP/JSON with `JSON.parse`, which checks less and makes objects. */
export const json: BenchCase = {
  name: "json",
  shows: "the cost of converting a span of OTLP/JSON to protobuf, next to JSON.parse",
  run: async (run) => {
    const { timeJson } = await importBundled<typeof JsonLoop>("loops/json-loop.ts");
    return REQUEST_SHAPES.map((shape) => jsonFigure(shape, timeJson, run));
  },
};

function jsonFigure(
  shape: RequestShape,
  timeJson: typeof JsonLoop.timeJson,
  { rounds, isShort, progress }: BenchRun,
): Figure {
  progress(`json: ${shape.name}`);
  const samples = timeJson(shape, { rounds, roundMs: isShort ? 100 : 400 });
  return {
    name: shape.name,
    unit: "ns/span",
    better: "lower",
    samples: samples.read,
    reference: { name: "JSON.parse", samples: samples.parse },
    ...(shape === SERVER_SPANS ? { goal: GOAL } : {}),
  };
}
