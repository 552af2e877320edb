import { EXPORT_PATH } from "../grpc/grpc-call.ts";
import { callHttp2, type Http2Call, type Http2End, openHttp2 } from "../grpc/grpc-http2-call.ts";
import { grpcMessage } from "../grpc/grpc-wire.ts";
import { requestOf } from "../requests/request-bytes.ts";

const PROTOBUF = { "Content-Type": "application/x-protobuf" };
const JSON_TYPE = { "Content-Type": "application/json" };
const TOO_LARGE_BYTES = 21_000_000;
const UNKNOWN_KEYS = '{"resource_spans":[{"scope_spans":[]}]}';

/** Requests that exporters and people send by mistake, each to one port. */
export const MISTAKES = {
  "JSON that is not OTLP": (url: string) => post(url, { headers: JSON_TYPE, body: "[]" }),
  "broken gzip over HTTP": (url: string) =>
    post(url, { headers: { ...PROTOBUF, "Content-Encoding": "gzip" }, body: "not gzip" }),
  "broken gzip over gRPC": (url: string) =>
    call(url, {
      headers: { "grpc-encoding": "gzip" },
      pieces: [grpcMessage(Buffer.from("not gzip"), 1)],
    }),
  "an unknown content type": (url: string) =>
    post(url, { headers: { "Content-Type": "text/plain" }, body: "{}" }),
  "an unknown path": (url: string) => post(url, { path: "/v1/trace", headers: PROTOBUF, body: "" }),
  "too large a request over HTTP": (url: string) =>
    post(url, { headers: PROTOBUF, body: new Uint8Array(TOO_LARGE_BYTES) }),
  "too large a request over gRPC": (url: string) =>
    call(url, { pieces: [grpcMessage(Buffer.alloc(TOO_LARGE_BYTES))] }),
  "HTTP/1.1 on the gRPC port": (url: string) => post(url, { headers: PROTOBUF, body: "" }),
  "gRPC on the HTTP port": (url: string) => call(url, { pieces: [grpcMessage(requestOf(1))] }),
  "swapped ports": sendToSwappedPorts,
  "OTLP on the port of the read API": (url: string) => post(url, { headers: PROTOBUF, body: "" }),
  "only unknown keys": (url: string) => post(url, { headers: JSON_TYPE, body: UNKNOWN_KEYS }),
  metrics: (url: string) => post(url, { path: "/v1/metrics", headers: JSON_TYPE, body: "{}" }),
  logs: (url: string) => post(url, { path: "/v1/logs", headers: JSON_TYPE, body: "{}" }),
} as const;

export type Mistake = keyof typeof MISTAKES;

interface Post {
  readonly path?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

async function post(url: string, { path = "/v1/traces", headers, body }: Post): Promise<void> {
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body });
  await response.arrayBuffer();
}

async function call(url: string, how: Http2Call): Promise<Http2End> {
  const session = openHttp2(Number(new URL(url).port));
  const end = await callHttp2(session, { path: EXPORT_PATH, ...how });
  session.destroy();
  return end;
}

/** Sends each protocol to the other port. The answer of the first names the port of the other. */
async function sendToSwappedPorts(httpUrl: string): Promise<void> {
  const { grpcMessage: message } = await call(httpUrl, { pieces: [grpcMessage(requestOf(1))] });
  const grpcPort = /OTLP\/gRPC is at port (\d+)/.exec(decodeURIComponent(message))?.[1];
  await post(`http://127.0.0.1:${grpcPort}`, { headers: PROTOBUF, body: "" });
}

if (import.meta.main) {
  const [mistake, variable] = process.argv.slice(2) as [Mistake, string];
  await MISTAKES[mistake](process.env[variable]!);
}
