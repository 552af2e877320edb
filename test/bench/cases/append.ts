import type { BenchCase } from "../bench-case.ts";
import { importBundled } from "../bundled-module.ts";
import type { Figure } from "../figure.ts";
import type * as AppendLoop from "../loops/append-loop.ts";
import { serverRequestShape } from "../request-corpus.ts";

/** Measures walk and append in process, into a full ring: the cost of a request without gRPC. */
export const append: BenchCase = {
  name: "append",
  shows:
    "the cost of a span from the bytes of its request into a full ring and out of it, without gRPC",
  run: async ({ rounds, isShort, progress }) => {
    const loops = await importBundled<typeof AppendLoop>("loops/append-loop.ts");
    const turns = { rounds, roundMs: isShort ? 100 : 400 };
    return [1, 100, 512].flatMap((spanCount) => {
      const shape = serverRequestShape(spanCount);
      progress(`append: ${shape.name}`);
      return figuresOf(
        shape.name,
        loops.timeAppend(shape, turns),
        loops.timeDelivery(shape, turns),
      );
    });
  },
};

function figuresOf(
  name: string,
  appending: ReturnType<typeof AppendLoop.timeAppend>,
  delivering: ReturnType<typeof AppendLoop.timeDelivery>,
): Figure[] {
  const cost = { unit: "ns/span", better: "lower" } as const;
  return [
    {
      ...cost,
      name: `walk and append, ${name}`,
      samples: appending.append,
      reference: { name: "walk alone", samples: appending.walk },
    },
    {
      ...cost,
      name: `walk, append and deliver, ${name}`,
      samples: delivering.delivery,
      reference: { name: "walk, append and take", samples: delivering.take },
    },
  ];
}
