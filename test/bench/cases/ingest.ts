import type { BenchCase, BenchRun } from "../bench-case.ts";
import { CannotRunError } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { requireH2load, sendLoad } from "../load/h2load.ts";
import { requestFile } from "../load/request-file.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { cpuSeconds } from "../servers/process-figures.ts";
import { exportOnce, startReference, startSpanring, type Subject } from "../servers/subject.ts";

/** Spans a request, and how much of the bare server's throughput is asked for. */
const SIZES: readonly { readonly spanCount: number; readonly goal?: Goal }[] = [
  { spanCount: 1 },
  { spanCount: 100, goal: { of: "ratio", is: ">=", bound: 0.85, further: 0.95 } },
  { spanCount: 512, goal: { of: "ratio", is: ">=", bound: 0.65, further: 0.8 } },
];

const DECODE_GOAL: Goal = { of: "ratio", is: ">=", bound: 6 };

/** The whole process over gRPC, next to a server that does nothing and one that does it plainly. */
export const ingest: BenchCase = {
  name: "ingest",
  shows: "what the whole process takes in over gRPC, next to a bare and to a decoding server",
  run: async (run) => {
    requireH2load();
    await using spanring = await startSpanring();
    await using bare = await startReference("discard", "bare grpc-js");
    await using decode = await startReference("decode", "protobufjs decode");
    const figures: Figure[] = [];
    for (const { spanCount, goal } of SIZES) {
      const turns = await takeTurns([spanring, bare, decode], spanCount, run);
      figures.push(...figuresOf(spanCount, turns, goal));
    }
    return figures;
  },
};

/** One run of load on one server. */
interface Turn {
  readonly spansPerSecond: number;
  /** Null where the system does not tell. */
  readonly cpuNsPerSpan: number | null;
}

/** For each server, its turns. The servers take them one after the other, and run all the while. */
async function takeTurns(
  subjects: readonly Subject[],
  spanCount: number,
  { rounds, isShort, progress }: BenchRun,
): Promise<Turn[][]> {
  const { name, bytes } = serverRequestShape(spanCount);
  const body = { bodyFile: requestFile(bytes), spanCount };
  const turnSeconds = isShort ? 1 : 3;
  progress(`ingest: ${name} a request, warming up`);
  const requests: number[] = [];
  for (const subject of subjects) {
    await exportOnce(subject.port, bytes);
    requests.push(Math.ceil(turnSeconds * (await warmUp(subject, body))));
  }
  const turns: Turn[][] = subjects.map(() => []);
  for (let round = 1; round <= rounds; round += 1) {
    progress(`ingest: ${name} a request, round ${round} of ${rounds}`);
    for (const [at, subject] of subjects.entries()) {
      turns[at]!.push(await oneTurn(subject, { ...body, requests: requests[at]! }));
    }
  }
  return turns;
}

interface Body {
  readonly bodyFile: string;
  readonly spanCount: number;
}

/** Seconds of load before anything counts: until then, code is being compiled. */
const WARM_UP_SECONDS = 1;
const FIRST_SPANS = 50_000;
const TURN_TIMEOUT_MS = 60_000;

/** Requests a second, when warm. */
async function warmUp(subject: Subject, body: Body): Promise<number> {
  const first = Math.ceil(FIRST_SPANS / (body.spanCount + 9));
  const cold = await checkedLoad(subject, { ...body, requests: first });
  const requests = Math.ceil(cold * WARM_UP_SECONDS);
  return await checkedLoad(subject, { ...body, requests });
}

async function oneTurn(subject: Subject, load: Body & { requests: number }): Promise<Turn> {
  const before = cpuSeconds(subject.pid);
  const requestsPerSecond = await checkedLoad(subject, load);
  const after = cpuSeconds(subject.pid);
  const spans = load.requests * load.spanCount;
  return {
    spansPerSecond: requestsPerSecond * load.spanCount,
    cpuNsPerSpan: before === null || after === null ? null : ((after - before) * 1e9) / spans,
  };
}

/** Requests a second; every one of them must have succeeded, by the server's own count as well. */
async function checkedLoad(subject: Subject, load: Body & { requests: number }): Promise<number> {
  const { requests, spanCount, bodyFile } = load;
  const before = await subject.answered();
  const outcome = await sendLoad({
    port: subject.port,
    bodyFile,
    requests,
    timeoutMs: TURN_TIMEOUT_MS,
  });
  const after = await subject.answered();
  expectSame(subject, "requests that h2load saw succeed", outcome.succeeded, requests);
  if (after.requests !== undefined)
    expectSame(subject, "requests answered", after.requests - (before.requests ?? 0), requests);
  if (after.spans !== undefined)
    expectSame(subject, "spans kept", after.spans - (before.spans ?? 0), requests * spanCount);
  return outcome.requestsPerSecond;
}

function expectSame({ name }: Subject, what: string, found: number, expected: number): void {
  if (found !== expected) throw new CannotRunError(`${name}: ${found} ${what}, not ${expected}`);
}

function figuresOf(spanCount: number, turns: readonly Turn[][], goal?: Goal): Figure[] {
  const [spanring, bare, decode] = turns as [Turn[], Turn[], Turn[]];
  const taken = { unit: "spans/s", better: "higher", samples: rates(spanring) } as const;
  const figures: Figure[] = [
    {
      ...taken,
      name: `at ${spanCount}, against bare`,
      reference: { name: "bare grpc-js", samples: rates(bare) },
      ...(goal === undefined ? {} : { goal }),
    },
    {
      ...taken,
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

function rates(turns: readonly Turn[]): number[] {
  return turns.map(({ spansPerSecond }) => spansPerSecond);
}

function costs(turns: readonly Turn[]): number[] {
  return turns.flatMap(({ cpuNsPerSpan }) => cpuNsPerSpan ?? []);
}
