import { makeCertificates } from "../../support/upstreams/certificates.ts";
import type { BenchCase, BenchRun } from "../bench-case.ts";
import type { Figure, Goal } from "../figure.ts";
import { GRPC, otlpHttp, requireH2load } from "../load/h2load.ts";
import { bodyFile, requestFile } from "../load/request-file.ts";
import { type Contender, costs, rates, takeTurns, type Turn } from "../load/turns.ts";
import { serverRequestShape } from "../request-corpus.ts";
import { type Spanring, startSpanring } from "../servers/subject.ts";

const SPAN_COUNT = 512;

const GOAL: Goal = { of: "ratio", is: ">=", bound: 0.6 };

/** Compares two processes that differ in nothing but TLS on their OTLP ports. */
export const ingestTls: BenchCase = {
  name: "ingest-tls",
  shows: "the throughput of the whole process over TLS, next to plaintext",
  run: async (run) => {
    requireH2load();
    await using plain = await startSpanring();
    await using secure = await startSpanring(certificateVariables());
    return figuresOf(await turnsOf([plain, secure], run));
  },
};

function certificateVariables(): Record<string, string> {
  const { cert, key } = makeCertificates().server;
  const [certFile, keyFile] = [
    bodyFile("cert.pem", Buffer.from(cert)),
    bodyFile("key.pem", Buffer.from(key)),
  ];
  return {
    OTLP_GRPC_TLS_CERT_FILE: certFile,
    OTLP_GRPC_TLS_KEY_FILE: keyFile,
    OTLP_HTTP_TLS_CERT_FILE: certFile,
    OTLP_HTTP_TLS_KEY_FILE: keyFile,
  };
}

async function turnsOf(subjects: readonly Spanring[], run: BenchRun): Promise<Turn[][]> {
  const { bytes } = serverRequestShape(SPAN_COUNT);
  const [message, body] = [requestFile(bytes), bodyFile("request.bin", bytes)];
  const contenders = subjects.flatMap((subject, at): Contender[] => {
    const common = { subject, spanCount: SPAN_COUNT, isSecure: at === 1 };
    const http = { ...common, port: subject.httpPort, bodyFile: body };
    return [
      { ...common, port: subject.port, protocol: GRPC, bodyFile: message },
      { ...http, protocol: otlpHttp("1.1", "x-protobuf") },
    ];
  });
  return await takeTurns(contenders, `ingest-tls: ${SPAN_COUNT} spans a request`, run);
}

function figuresOf(turns: readonly Turn[][]): Figure[] {
  const [grpc, http, secureGrpc, secureHttp] = turns as [Turn[], Turn[], Turn[], Turn[]];
  const figures = [
    ...figuresFor("gRPC", secureGrpc, grpc),
    ...figuresFor("protobuf, HTTP/1.1", secureHttp, http),
  ];
  return figures.filter(({ samples }) => samples.length > 0);
}

function figuresFor(name: string, secure: readonly Turn[], plain: readonly Turn[]): Figure[] {
  return [
    {
      name,
      unit: "spans/s",
      better: "higher",
      samples: rates(secure),
      reference: { name: "plaintext", samples: rates(plain) },
      goal: GOAL,
    },
    {
      name: `${name}, processor time`,
      unit: "ns/span",
      better: "lower",
      samples: costs(secure),
      reference: { name: "plaintext", samples: costs(plain) },
    },
  ];
}
