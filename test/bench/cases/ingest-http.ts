import { otlpJsonChunks } from "../../../src/adapters/otlp/json/otlp-json.ts";
import type { BenchCase, BenchRun } from "../bench-case.ts";
import type { Figure } from "../figure.ts";
import { GRPC, otlpHttp, requireH2load } from "../load/h2load.ts";
import { bodyFile, requestFile } from "../load/request-file.ts";
import { type Contender, costs, rates, takeTurns, type Turn } from "../load/turns.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { exportOnce, startSpanring } from "../servers/subject.ts";

const SPAN_COUNT = 512;

/** Compares the two listeners of one process, so that all other differences cancel out. */
export const ingestHttp: BenchCase = {
  name: "ingest-http",
  shows: "the throughput of the whole process over HTTP, next to gRPC",
  run: async (run) => {
    requireH2load();
    await using spanring = await startSpanring();
    const { bytes } = serverRequestShape(SPAN_COUNT);
    await exportOnce(spanring.port, bytes);
    return figuresOf(await turnsOf(spanring, bytes, run));
  },
};

type Spanring = Awaited<ReturnType<typeof startSpanring>>;

async function turnsOf(subject: Spanring, request: Uint8Array, run: BenchRun): Promise<Turn[][]> {
  const { port, httpPort } = subject;
  const protobuf = bodyFile("request.bin", request);
  const json = bodyFile("request.json", Buffer.concat([...otlpJsonChunks(request)]));
  const variants = [
    { port, protocol: GRPC, bodyFile: requestFile(request) },
    { port: httpPort, protocol: otlpHttp("1.1", "x-protobuf"), bodyFile: protobuf },
    { port: httpPort, protocol: otlpHttp("2", "x-protobuf"), bodyFile: protobuf },
    { port: httpPort, protocol: otlpHttp("1.1", "json"), bodyFile: json },
  ];
  const contenders = variants.map((variant): Contender => ({
    ...variant,
    subject,
    spanCount: SPAN_COUNT,
  }));
  return await takeTurns(contenders, `ingest-http: ${SPAN_COUNT} spans a request`, run);
}

function figuresOf(turns: readonly Turn[][]): Figure[] {
  const [grpc, http1, http2, json] = turns as [Turn[], Turn[], Turn[], Turn[]];
  const reference = { name: "gRPC", samples: rates(grpc) };
  const throughput = { unit: "spans/s", better: "higher", reference } as const;
  const figures: Figure[] = [
    {
      ...throughput,
      name: "protobuf, HTTP/1.1",
      samples: rates(http1),
      goal: { of: "ratio", is: ">=", bound: 1.3 },
    },
    { ...throughput, name: "protobuf, HTTP/2", samples: rates(http2) },
    { ...throughput, name: "JSON, HTTP/1.1", samples: rates(json) },
    {
      name: "protobuf, HTTP/1.1, processor time",
      unit: "ns/span",
      better: "lower",
      samples: costs(http1),
      reference: { name: "gRPC", samples: costs(grpc) },
    },
  ];
  return figures.filter(({ samples }) => samples.length > 0);
}
