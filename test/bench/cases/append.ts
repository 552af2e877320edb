import type { BenchCase } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import type * as AppendLoop from "../loops/append-loop.ts";
import { serverRequestShape } from "../request-corpus.ts";

/** Walk and append in process, into a ring that is full: what a request costs without gRPC. */
export const append: BenchCase = {
  name: "append",
  shows: "what a span costs from its request's bytes to its place in a full ring, without gRPC",
  run: async ({ rounds, isShort, progress }) => {
    const { timeAppend } = await importBundled<typeof AppendLoop>("loops/append-loop.ts");
    return [1, 100, 512].map((spanCount) => {
      const shape = serverRequestShape(spanCount);
      progress(`append: ${shape.name}`);
      const samples = timeAppend(shape, { rounds, roundMs: isShort ? 100 : 400 });
      return {
        name: `walk and append, ${shape.name}`,
        unit: "ns/span",
        better: "lower" as const,
        samples: samples.append,
        reference: { name: "walk alone", samples: samples.walk },
      };
    });
  },
};
