import { otlpJsonChunks } from "../../../src/adapters/otlp/json/otlp-json.ts";
import type { BenchCase, BenchRun } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { GRPC, type LoadProtocol, otlpHttp, requireH2load } from "../load/h2load.ts";
import { bodyFile, requestFile } from "../load/request-file.ts";
import { type Contender, costs, takeTurns, type Turn } from "../load/turns.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { exportOnce, startReference, startSpanring, type Subject } from "../servers/subject.ts";

const HTTP = otlpHttp("1.1", "x-protobuf");
const JSON_HTTP = otlpHttp("1.1", "json");

/** A goal for the ratio of the reference's processor time to that of spanring. */
function withinTimes(times: number): Goal {
  return { of: "ratio", is: ">=", bound: Number((1 / times).toFixed(2)) };
}

function atMost(microseconds: number): Goal {
  return { of: "median", is: "<=", bound: microseconds };
}

interface Goals {
  readonly grpc: Goal;
  readonly http?: Goal;
  readonly json?: Goal;
}

/** The spans of a request, and the goals for its processor time. */
const SIZES: readonly { readonly spanCount: number; readonly goals: Goals }[] = [
  { spanCount: 1, goals: { grpc: withinTimes(1.1), http: withinTimes(1.4) } },
  { spanCount: 10, goals: { grpc: withinTimes(1.1) } },
  { spanCount: 100, goals: { grpc: withinTimes(1.05), http: atMost(40), json: atMost(140) } },
  { spanCount: 512, goals: { grpc: withinTimes(0.95), http: atMost(150), json: atMost(717) } },
];

/** Measures what a request costs, whatever its size, next to servers that discard the bytes. */
export const cost: BenchCase = {
  name: "cost",
  shows: "the processor time of a request by size and protocol, next to bare servers",
  run: async (run) => {
    requireH2load();
    await using spanring = await startSpanring();
    await using grpc = await startReference("discard", "bare grpc-js");
    await using http = await startReference("discard-http", "bare Bun.serve");
    const figures: Figure[] = [];
    for (const { spanCount, goals } of SIZES) {
      const { bytes } = serverRequestShape(spanCount);
      for (const { port } of [spanring, grpc]) await exportOnce(port, bytes);
      const contenders = contendersFor(spanCount, bytes, { spanring, grpc, http });
      figures.push(...figuresOf(spanCount, await turnsOf(contenders, spanCount, run), goals));
    }
    return figures.filter(({ samples }) => samples.length > 0);
  },
};

interface Servers {
  readonly spanring: Awaited<ReturnType<typeof startSpanring>>;
  readonly grpc: Subject;
  readonly http: Subject;
}

function contendersFor(spanCount: number, request: Uint8Array, servers: Servers): Contender[] {
  const message = requestFile(request);
  const body = bodyFile("request.bin", request);
  const json = bodyFile("request.json", Buffer.concat([...otlpJsonChunks(request)]));
  const { spanring } = servers;
  const contender = (subject: Subject, port: number, protocol: LoadProtocol, file: string) => ({
    subject,
    port,
    protocol,
    bodyFile: file,
    spanCount,
  });
  return [
    contender(spanring, spanring.port, GRPC, message),
    contender(servers.grpc, servers.grpc.port, GRPC, message),
    contender(spanring, spanring.httpPort, HTTP, body),
    contender(servers.http, servers.http.port, HTTP, body),
    contender(spanring, spanring.httpPort, JSON_HTTP, json),
    contender(servers.http, servers.http.port, JSON_HTTP, json),
  ];
}

function turnsOf(
  contenders: readonly Contender[],
  spanCount: number,
  run: BenchRun,
): Promise<Turn[][]> {
  return takeTurns(contenders, `cost: ${spanCount} spans a request`, run);
}

function figuresOf(spanCount: number, turns: readonly Turn[][], goals: Goals): Figure[] {
  const perRequest = turns.map((taken) => costs(taken).map((ns) => (ns * spanCount) / 1000));
  const [grpc, bareGrpc, http, bareHttp, json, bareJson] = perRequest as [
    number[],
    number[],
    number[],
    number[],
    number[],
    number[],
  ];
  const common = { unit: "us/request", better: "lower" } as const;
  const rows = [
    { name: "gRPC", samples: grpc, bare: bareGrpc, server: "bare grpc-js", goal: goals.grpc },
    { name: "HTTP", samples: http, bare: bareHttp, server: "bare Bun.serve", goal: goals.http },
    { name: "JSON", samples: json, bare: bareJson, server: "bare Bun.serve", goal: goals.json },
  ];
  return rows.map(({ name, samples, bare, server, goal }) => ({
    ...common,
    name: `${name} at ${spanCount}`,
    samples,
    reference: { name: server, samples: bare },
    ...(goal === undefined ? {} : { goal }),
  }));
}
