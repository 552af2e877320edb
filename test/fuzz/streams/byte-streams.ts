import type { Listener } from "../../attack/attack-case.ts";
import { http1Request } from "../../attack/wire/http1-talk.ts";
import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import {
  callHeaders,
  FLAG,
  frame,
  FRAME,
  GREETING,
  grpcMessage,
} from "../../support/grpc/grpc-wire.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { jsonMessage } from "../grammar/json-grammar.ts";
import { protobufMessage } from "../grammar/protobuf-grammar.ts";
import { mutated } from "../mutation.ts";

/** The bytes that a peer sends on one connection. */
export interface ByteStream {
  readonly listener: Listener;
  readonly bytes: Uint8Array;
}

const LISTENERS = ["grpc", "http", "api"] as const;
const PATHS: Readonly<Record<Listener, readonly string[]>> = {
  grpc: [EXPORT_PATH, "/grpc.health.v1.Health/Check", "/no.such/Method", "*"],
  http: ["/v1/traces", "/v1/metrics", "/v1/logs", "/", "/%00"],
  api: ["/api/spans", "/api/traces", "/api/stats", "/api/spans/take?limit=1", "/metrics", "//"],
};
const HEADERS: readonly (readonly [string, string])[] = [
  ["Content-Type", "application/x-protobuf"],
  ["Content-Type", "application/json; charset=utf-8"],
  ["Content-Encoding", "gzip"],
  ["Content-Encoding", "zstd"],
  ["Transfer-Encoding", "chunked"],
  ["Content-Length", "-1"],
  ["Expect", "100-continue"],
  ["Connection", "Upgrade, HTTP2-Settings"],
  ["Upgrade", "h2c"],
  ["Origin", "null"],
  ["Accept", "application/x-ndjson;q=0.5, */*;q=0"],
  ["Range", "bytes=0-1"],
];
const FRAME_TYPES = [...Object.values(FRAME), 0x2, 0x5, 0xee];

/** Builds the bytes of a client, unchanged or with a few mutations. */
export function byteStream(random: SeededRandom): ByteStream {
  const listener = random.pick(LISTENERS);
  const isHttp2 = listener === "grpc" ? random.chance(0.9) : random.chance(0.3);
  const bytes = isHttp2 ? http2Stream(random, listener) : http1Stream(random, listener);
  return { listener, bytes: random.chance(0.3) ? bytes : mutated(bytes, random) };
}

function http1Stream(random: SeededRandom, listener: Listener): Uint8Array {
  const requests = Array.from({ length: random.between(1, 3) }, () => {
    const headers = Array.from({ length: random.between(0, 3) }, () => random.pick(HEADERS));
    const isPost = random.chance(listener === "http" ? 0.9 : 0.3);
    return http1Request({
      method: isPost ? "POST" : "GET",
      path: random.pick(PATHS[listener]),
      headers: Object.fromEntries(headers),
      ...(isPost ? { body: bodyOf(random) } : {}),
    });
  });
  return Buffer.concat(requests);
}

function bodyOf(random: SeededRandom): Uint8Array {
  if (random.chance(0.5)) return Uint8Array.from(protobufMessage(random));
  return new TextEncoder().encode(jsonMessage(random));
}

function http2Stream(random: SeededRandom, listener: Listener): Uint8Array {
  const frames = Array.from({ length: random.between(1, 6) }, (_, at) =>
    random.chance(0.7) ? call(random, listener, 1 + 2 * at) : strayFrame(random),
  );
  return Buffer.concat([GREETING, ...frames]);
}

function call(random: SeededRandom, listener: Listener, streamId: number): Uint8Array {
  const body = bodyOf(random);
  const block = callHeaders(random.pick(PATHS[listener]));
  const head = frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId }, block);
  const data = listener === "grpc" ? grpcMessage(body, random.chance(0.9) ? 0 : 1) : body;
  return Buffer.concat([head, frame({ type: FRAME.data, flags: FLAG.endStream, streamId }, data)]);
}

function strayFrame(random: SeededRandom): Uint8Array {
  const payload = Uint8Array.from({ length: random.between(0, 24) }, () => random.between(0, 255));
  const type = random.pick(FRAME_TYPES);
  return frame({ type, flags: random.between(0, 255), streamId: random.between(0, 9) }, payload);
}
