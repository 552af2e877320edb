import type { BenchCase, BenchRun } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import type { Figure, Goal } from "../figure.ts";
import type * as WalkLoop from "../loops/walk-loop.ts";
import { REQUEST_SHAPES, type RequestShape, SERVER_SPANS } from "../request-corpus.ts";

const GOAL: Goal = { of: "ratio", is: ">=", bound: 18 };

/** Compares the wire walk and all its checks with protobufjs decoding the same bytes. */
export const walk: BenchCase = {
  name: "walk",
  shows: "the cost of finding and checking every span of a request, next to decoding it",
  run: async (run) => {
    const { timeWalk } = await importBundled<typeof WalkLoop>("loops/walk-loop.ts");
    return REQUEST_SHAPES.map((shape) => walkFigure(shape, timeWalk, run));
  },
};

function walkFigure(
  shape: RequestShape,
  timeWalk: typeof WalkLoop.timeWalk,
  { rounds, isShort, progress }: BenchRun,
): Figure {
  progress(`walk: ${shape.name}`);
  const samples = timeWalk(shape, { rounds, roundMs: isShort ? 100 : 400 });
  return {
    name: shape.name,
    unit: "ns/span",
    better: "lower",
    samples: samples.walk,
    reference: { name: "protobufjs decode", samples: samples.decode },
    ...(shape === SERVER_SPANS ? { goal: GOAL } : {}),
  };
}
