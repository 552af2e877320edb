import { expect, test } from "bun:test";
import type { Readiness } from "../../../src/adapters/http/routes.ts";
import { otlpJson } from "../../../src/adapters/otlp/otlp-json.ts";
import { FakeSpanReader } from "../../support/fake-span-reader.ts";
import { largeRequest } from "../../support/large-request.ts";
import { serverRequest } from "../../support/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running-read-api.ts";

stopReadApisAfterEach();

const PROTOBUF = { headers: { Accept: "application/x-protobuf" } };

test("GET /healthz answers as long as anything does", async () => {
  const { request } = runReadApi({ readiness: () => "stopping" });

  const response = await request("/healthz");

  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ status: "alive" });
});

test.each<[Readiness, number]>([
  ["starting", 503],
  ["ready", 200],
  ["stopping", 503],
])("GET /readyz while %s is %d", async (readiness, status) => {
  const { request } = runReadApi({ readiness: () => readiness });

  const response = await request("/readyz");

  expect(response.status).toBe(status);
  expect(await response.json()).toEqual({ status: readiness });
});

test("GET /api/stats is the ledger, the capacity, the sequence, uptime and version", async () => {
  const { request, buffer } = runReadApi();
  buffer.take(2);

  const response = await request("/api/stats");

  const books = { received: 5, rejected: 0, accepted: 5, buffered: 3, taken: 2, evicted: 0 };
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.text()).toBe(
    `${JSON.stringify({
      spans: books,
      bytes: books,
      capacity: { spans: 100, bytes: 4096 },
      sequence: { first: 3, next: 6 },
      uptime_seconds: 12.346,
      version: "1.2.3",
    })}\n`,
  );
});

test("GET /api/spans is the oldest spans as OTLP/JSON, and leaves them in place", async () => {
  const { request, buffer } = runReadApi();

  const response = await request("/api/spans?limit=2");

  expect(response.headers.get("content-type")).toBe("application/json");
  expect(response.headers.get("vary")).toBe("Accept");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(await response.text()).toBe(`${otlpJson(buffer.peek(2))}\n`);
  expect(buffer.size).toBe(5);
});

test("POST /api/spans/take is the oldest spans, and removes them", async () => {
  const { request, buffer } = runReadApi();
  const expected = `${otlpJson(buffer.peek(2))}\n`;

  const response = await request("/api/spans/take?limit=2", { method: "POST" });

  expect(response.status).toBe(200);
  expect(await response.text()).toBe(expected);
  expect(buffer.size).toBe(3);
});

test.each([
  { method: "GET", path: "/api/spans" },
  { method: "POST", path: "/api/spans/take" },
])("$method $path hands over the original bytes when asked for protobuf", async (asked) => {
  const { request, buffer } = runReadApi();
  const expected = buffer.peek(5);

  const response = await request(asked.path, { ...PROTOBUF, method: asked.method });

  expect(response.headers.get("content-type")).toBe("application/x-protobuf");
  expect(await response.bytes()).toEqual(expected);
});

test("without a limit there are a thousand spans at most", async () => {
  const { request, buffer } = runReadApi({ buffer: new FakeSpanReader(1001) });

  const response = await request("/api/spans/take", { ...PROTOBUF, method: "POST" });

  expect(await response.bytes()).toEqual(new FakeSpanReader(1001).peek(1000));
  expect(buffer.size).toBe(5);
});

test("an empty buffer is an empty list, or no bytes", async () => {
  const { request } = runReadApi({ buffer: new FakeSpanReader(0) });

  const json = await request("/api/spans");
  const bytes = await request("/api/spans", PROTOBUF);

  expect(await json.json()).toEqual({ resourceSpans: [] });
  expect(await bytes.bytes()).toHaveLength(0);
});

test("a large answer arrives whole, in either form", async () => {
  const spans = serverRequest(2000);
  const buffer = Object.assign(new FakeSpanReader(0), { peek: () => spans });
  const { request } = runReadApi({ buffer });

  const json = await request("/api/spans");
  const bytes = await request("/api/spans", PROTOBUF);

  expect(await json.text()).toBe(`${otlpJson(spans)}\n`);
  expect(Bun.deepEquals(await bytes.bytes(), spans)).toBe(true);
});

test.each(["/healthz", "/readyz", "/api/stats", "/api/spans"])(
  "HEAD %s is answered as GET is, without the body",
  async (path) => {
    const { request } = runReadApi();

    const head = await request(path, { method: "HEAD" });
    const get = await request(path);

    expect(head.status).toBe(200);
    expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    expect(await head.text()).toBe("");
  },
);

test("a client of HTTP/1.0 without a Host is answered", async () => {
  const { api } = runReadApi();

  const answer = await rawRequest(api.port, "GET /healthz HTTP/1.0\r\n\r\n");

  expect(answer).toStartWith("HTTP/1.1 200 OK");
});

test("a body that nobody asked for is refused before it is read", async () => {
  const { request, buffer } = runReadApi();

  const response = await request("/api/spans/take", { method: "POST", body: "x".repeat(2000) });

  expect(response.status).toBe(413);
  expect(buffer.size).toBe(5);
});

test("two cannot listen on one port, and the error says so", () => {
  const { api } = runReadApi();

  const second = () => runReadApi({ address: { host: "127.0.0.1", port: api.port } });

  expect(second).toThrow(`Is port ${api.port} in use?`);
});

test("stopping waits for an answer under way, and takes no new connection", async () => {
  const spans = largeRequest();
  const buffer = Object.assign(new FakeSpanReader(0), { peek: () => spans });
  const { api, request } = runReadApi({ buffer });
  const response = await request("/api/spans", PROTOBUF);

  const stopped = api.stop();
  const body = await response.bytes();
  await stopped;

  expect(body).toHaveLength(spans.length);
  await expect(request("/healthz")).rejects.toThrow();
});

/** Everything a server sends in answer to these bytes, until it closes. */
async function rawRequest(port: number, text: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const parts: Buffer[] = [];
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (socket) => void socket.write(text),
      data: (_, part) => void parts.push(Buffer.from(part)),
      close: () => resolve(Buffer.concat(parts).toString()),
    },
  });
  return promise;
}
