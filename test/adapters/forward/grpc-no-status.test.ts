import { afterEach, expect, test } from "bun:test";
import { constants, createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { GrpcSink } from "../../../src/adapters/forward/grpc-sink.ts";
import { GRPC_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

// Upstreams that accept a request and end its stream without a gRPC status.

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

const HEADERS = { ":status": 200, "content-type": "application/grpc" };

test.each<{ name: string; end: (stream: ServerHttp2Stream) => void }>([
  {
    name: "a reset stream",
    end: (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
  },
  {
    name: "ENHANCE_YOUR_CALM",
    end: ({ session }) => {
      session?.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0);
      session?.destroy();
    },
  },
  {
    name: "an answer without trailers",
    end: (stream) => {
      stream.respond(HEADERS);
      stream.end();
    },
  },
  {
    name: "a response of headers only",
    end: (stream) => stream.respond(HEADERS, { endStream: true }),
  },
])("$name causes a retry", async ({ end }) => {
  const upstream = createServer();
  upstream.on("session", (session) => session.on("error", () => {}));
  upstream.on("stream", (stream: ServerHttp2Stream) => {
    stream.on("error", () => {});
    end(stream);
  });
  await new Promise<void>((listening) => upstream.listen(0, "127.0.0.1", listening));
  ends.push(() => upstream.close());
  const sink = new GrpcSink({ ...GRPC_PARTS, port: (upstream.address() as AddressInfo).port });
  ends.push(() => sink.close());

  expect(await sink.send(batchOf(1), never)).toMatchObject({ outcome: "retry" });
});
