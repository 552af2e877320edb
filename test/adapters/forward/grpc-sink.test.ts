import { afterEach, expect, test } from "bun:test";
import { Metadata, status } from "@grpc/grpc-js";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, createServer } from "node:net";
import { GrpcSink, type GrpcSinkParts } from "../../../src/adapters/forward/grpc-sink.ts";
import {
  grpcFailure,
  type GrpcReply,
  grpcSuccess,
  type GrpcUpstreamParts,
  startGrpcUpstream,
} from "../../support/upstreams/grpc-upstream.ts";
import { GRPC_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

function openSink(port: number, parts: Partial<GrpcSinkParts> = {}): GrpcSink {
  const sink = new GrpcSink({ ...GRPC_PARTS, port, ...parts });
  ends.push(() => sink.close());
  return sink;
}

async function startUpstream(reply: () => GrpcReply, parts: GrpcUpstreamParts = {}) {
  const upstream = await startGrpcUpstream(reply, parts);
  ends.push(() => upstream.stop());
  return upstream;
}

async function answered(reply: GrpcReply, parts: Partial<GrpcSinkParts> = {}) {
  const { port } = await startUpstream(() => reply);
  return await openSink(port, parts).send(batchOf(3), never);
}

const RETRYABLE = [
  "CANCELLED",
  "DEADLINE_EXCEEDED",
  "RESOURCE_EXHAUSTED",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNAVAILABLE",
  "DATA_LOSS",
] as const;

test.each(RETRYABLE)("%s is retried after the delay in RetryInfo", async (code) => {
  expect(await answered(grpcFailure(status[code], "later", 1500))).toEqual({
    outcome: "retry",
    message: `${code}: later`,
    afterMs: 1500,
  });
});

test.each([
  ["UNKNOWN", "other"],
  ["INVALID_ARGUMENT", "invalid"],
  ["ALREADY_EXISTS", "other"],
  ["FAILED_PRECONDITION", "invalid"],
  ["INTERNAL", "internal"],
] as const)("%s may concern the spans: refused as %s", async (code, reason) => {
  expect(await answered(grpcFailure(status[code], "no"))).toEqual({
    outcome: "refused",
    reason,
    message: `${code}: no`,
  });
});

test.each([
  ["NOT_FOUND", "not_found"],
  ["PERMISSION_DENIED", "forbidden"],
  ["UNIMPLEMENTED", "unsupported"],
  ["UNAUTHENTICATED", "unauthenticated"],
] as const)("%s concerns the connection or the route: blocked as %s", async (code, reason) => {
  expect(await answered(grpcFailure(status[code], "no", 1500))).toEqual({
    outcome: "blocked",
    reason,
    message: `${code}: no`,
  });
});

test("RESOURCE_EXHAUSTED is retried without RetryInfo too", async () => {
  expect(await answered(grpcFailure(status.RESOURCE_EXHAUSTED, "quota"))).toEqual({
    outcome: "retry",
    message: "RESOURCE_EXHAUSTED: quota",
  });
});

test("details that are not a google.rpc.Status are ignored", async () => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));

  const outcome = await answered({ code: status.RESOURCE_EXHAUSTED, details: "x", metadata });

  expect(outcome).toEqual({ outcome: "retry", message: "RESOURCE_EXHAUSTED: x" });
});

test("a message above the upstream's limit is too large", async () => {
  const options = { "grpc.max_receive_message_length": 1000 };
  const { port } = await startUpstream(() => grpcSuccess(), { options });
  const sink = openSink(port, { compression: "none" });

  expect(await sink.send(batchOf(100), never)).toMatchObject({ outcome: "too_large" });
  expect(await sink.send(batchOf(1), never)).toEqual({ outcome: "delivered" });
});

test("an upstream's limit of 4 MiB is not mistaken for the limit of answers", async () => {
  const options = { "grpc.max_receive_message_length": 4 * 1024 * 1024 };
  const { port } = await startUpstream(() => grpcSuccess(), { options });
  const request = new Uint8Array(4 * 1024 * 1024 + 1);

  const outcome = await openSink(port, { compression: "none" }).send(
    { request, spanCount: 1 },
    never,
  );

  expect(outcome.outcome).toBe("too_large");
});

test("a success with an unreadable answer counts as delivered", async () => {
  expect(await answered({ bytes: Uint8Array.from([0x0a, 0xff]) })).toEqual({
    outcome: "delivered",
    message: "its response cannot be read",
  });
});

test("an answer above 4 MiB is not read, and the batch counts as delivered", async () => {
  const warning = "x".repeat(4 * 1024 * 1024 + 100);

  expect(await answered(grpcSuccess(0, warning))).toEqual({
    outcome: "delivered",
    message: "its response is longer than 4194304 bytes, and was not read",
  });
});

test("413 from a proxy means too large, and 503 means retry", async () => {
  const statuses = [413, 503];
  const proxy = createHttp2Server((_, response) => {
    response.writeHead(statuses.shift() ?? 500).end();
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  ends.push(() => proxy.close());
  const sink = openSink((proxy.address() as AddressInfo).port);

  expect(await sink.send(batchOf(1), never)).toMatchObject({ outcome: "too_large" });
  expect(await sink.send(batchOf(1), never)).toMatchObject({ outcome: "retry" });
});

test("every request has the configured headers and a user agent", async () => {
  const upstream = await startUpstream(() => grpcSuccess());
  const headers = [
    ["api-key", "secret"],
    ["x-tenant", "a, b"],
  ] as const;

  await openSink(upstream.port, { headers }).send(batchOf(1), never);

  const [{ metadata }] = upstream.requests as [(typeof upstream.requests)[number]];
  expect(metadata.get("api-key")).toEqual(["secret"]);
  expect(metadata.get("x-tenant")).toEqual(["a, b"]);
  expect(String(metadata.get("user-agent"))).toStartWith("spanring-test/1 ");
});

test.each([
  { compression: "gzip", isFewer: true },
  { compression: "none", isFewer: false },
] as const)(
  "$compression sends less than half of the bytes: $isFewer",
  async ({ compression, isFewer }) => {
    const upstream = await startGrpcUpstream(() => grpcSuccess());
    ends.push(() => upstream.stop());
    let sentBytes = 0;
    const relay = createServer((socket) => {
      const onward = Bun.connect({
        hostname: "127.0.0.1",
        port: upstream.port,
        socket: {
          data: (_, bytes) => void socket.write(bytes),
          close: () => void socket.destroy(),
          error: () => void socket.destroy(),
        },
      });
      socket.on("data", (bytes: Buffer) => {
        sentBytes += bytes.length;
        void onward.then((to) => to.write(bytes));
      });
      socket.on("close", () => void onward.then((to) => to.end()));
      socket.on("error", () => {});
    });
    await new Promise<void>((listening) => relay.listen(0, "127.0.0.1", listening));
    ends.push(() => relay.close());
    const batch = batchOf(500);

    await openSink((relay.address() as AddressInfo).port, { compression }).send(batch, never);

    expect(sentBytes).toBeGreaterThan(100);
    expect(sentBytes < batch.request.length / 2).toBe(isFewer);
  },
);

test("a refused connection is retried, and its message ends with the reason", async () => {
  const probe = createServer();
  await new Promise<void>((resolve) => void probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));

  const outcome = await openSink(port).send(batchOf(3), never);

  expect(outcome).toMatchObject({
    outcome: "retry",
    message: expect.stringMatching(/^UNAVAILABLE: No connection .* ECONNREFUSED [^ ]+$/),
  });
});

test("a silent upstream is retried after the timeout, on a new connection", async () => {
  let connections = 0;
  const silent = createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
  });
  await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
  ends.push(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const sink = openSink(port, { timeoutMs: 30 });

  const outcomes = [await sink.send(batchOf(1), never), await sink.send(batchOf(1), never)];

  expect(outcomes.map(({ outcome }) => outcome)).toEqual(["retry", "retry"]);
  expect(outcomes[0]?.message).toContain("DEADLINE_EXCEEDED");
  expect(outcomes[0]).toHaveProperty("isTimeout", true);
  expect(connections).toBe(2);
});

test("DEADLINE_EXCEEDED from the upstream is not reported as our timeout", async () => {
  const outcome = await answered(grpcFailure(status.DEADLINE_EXCEEDED, "of another's"));

  expect(outcome).toEqual({ outcome: "retry", message: "DEADLINE_EXCEEDED: of another's" });
});

test("an answer of DEADLINE_EXCEEDED shortly before our deadline is our timeout", async () => {
  const headers = { ":status": 200, "content-type": "application/grpc", "grpc-status": "4" };
  const upstream = createHttp2Server((_, { stream }) => {
    setTimeout(() => stream.respond(headers, { endStream: true }), 450);
  });
  await new Promise<void>((listening) => upstream.listen(0, "127.0.0.1", listening));
  ends.push(() => upstream.close());
  const sink = openSink((upstream.address() as AddressInfo).port, { timeoutMs: 500 });

  expect(await sink.send(batchOf(1), never)).toMatchObject({ outcome: "retry", isTimeout: true });
});

test("the proxy of the environment is used, except for hosts on this machine", async () => {
  const upstream = await startUpstream(() => grpcSuccess());
  const proxied: string[] = [];
  const proxy = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", (bytes: Buffer) => {
      proxied.push(bytes.toString().split("\r\n")[0]!);
      const onward = connect(upstream.port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(onward).pipe(socket);
      });
      onward.on("error", () => {});
    });
  });
  await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
  ends.push(() => proxy.close());
  const before = process.env["grpc_proxy"];
  process.env["grpc_proxy"] = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  ends.push(() => restore("grpc_proxy", before));

  const here = await openSink(upstream.port).send(batchOf(1), never);
  const elsewhere = await openSink(9, { host: "upstream.invalid" }).send(batchOf(1), never);

  expect([here, elsewhere]).toEqual([{ outcome: "delivered" }, { outcome: "delivered" }]);
  expect(proxied).toEqual(["CONNECT upstream.invalid:9 HTTP/1.1"]);
});

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}
