import type { BenchCase, BenchRun } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { requireH2load } from "../load/h2load.ts";
import { requestFile } from "../load/request-file.ts";
import { costs, rates, takeTurns, type Turn } from "../load/turns.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { exportOnce, startReference, startSpanring, type Subject } from "../servers/subject.ts";

/** The spans per request, and the required share of the bare server's throughput. */
const SIZES: readonly { readonly spanCount: number; readonly goal?: Goal }[] = [
  { spanCount: 1 },
  { spanCount: 100, goal: { of: "ratio", is: ">=", bound: 0.85, further: 0.95 } },
  { spanCount: 512, goal: { of: "ratio", is: ">=", bound: 0.65, further: 0.8 } },
];

const DECODE_GOAL: Goal = { of: "ratio", is: ">=", bound: 6 };

/**
 * Measures the whole process over gRPC, next to a server that discards requests and one that
 * decodes them with protobufjs.
 */
export const ingest: BenchCase = {
  name: "ingest",
  shows: "the throughput of the whole process over gRPC, next to a bare and a decoding server",
  run: async (run) => {
    requireH2load();
    await using spanring = await startSpanring();
    await using bare = await startReference("discard", "bare grpc-js");
    await using decode = await startReference("decode", "protobufjs decode");
    const figures: Figure[] = [];
    for (const { spanCount, goal } of SIZES) {
      const turns = await turnsAt([spanring, bare, decode], spanCount, run);
      figures.push(...figuresOf(spanCount, turns, goal));
    }
    return figures;
  },
};

async function turnsAt(
  subjects: readonly Subject[],
  spanCount: number,
  run: BenchRun,
): Promise<Turn[][]> {
  const { name, bytes } = serverRequestShape(spanCount);
  for (const { port } of subjects) await exportOnce(port, bytes);
  const load = { bodyFile: requestFile(bytes), spanCount };
  const contenders = subjects.map((subject) => ({ ...load, subject, port: subject.port }));
  return await takeTurns(contenders, `ingest: ${name} a request`, run);
}

function figuresOf(spanCount: number, turns: readonly Turn[][], goal?: Goal): Figure[] {
  const [spanring, bare, decode] = turns as [Turn[], Turn[], Turn[]];
  const throughput = { unit: "spans/s", better: "higher", samples: rates(spanring) } as const;
  const figures: Figure[] = [
    {
      ...throughput,
      name: `at ${spanCount}, against bare`,
      reference: { name: "bare grpc-js", samples: rates(bare) },
      ...(goal === undefined ? {} : { goal }),
    },
    {
      ...throughput,
      name: `at ${spanCount}, against decoding`,
      reference: { name: "protobufjs decode", samples: rates(decode) },
      ...(spanCount === 512 ? { goal: DECODE_GOAL } : {}),
    },
  ];
  const processorTime: Figure = {
    name: `at ${spanCount}, processor time`,
    unit: "ns/span",
    better: "lower",
    samples: costs(spanring),
    reference: { name: "bare grpc-js", samples: costs(bare) },
  };
  return processorTime.samples.length > 0 ? [...figures, processorTime] : figures;
}
