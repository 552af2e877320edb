import { expect, test } from "bun:test";
import { connect } from "node:net";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import { MAX_FILE_BYTES, MAX_UPLOADS } from "../../../src/adapters/read-api/upload-answer.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { isMessage } from "../../../src/adapters/api-messages/message.ts";
import { upload } from "../../../src/adapters/api-messages/upload.ts";
import type { Receipt } from "../../../src/domain/receipt.ts";
import { zeroAmounts } from "../../../src/domain/receipt.ts";
import {
  runReadApi,
  type ReadApiSetting,
  stopReadApisAfterEach,
} from "../../support/running/running-read-api.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

stopReadApisAfterEach();

const TYPE = { "Content-Type": "application/octet-stream" };
const LIMITS = { requestBytes: 1024 * 1024, spansPerRequest: 1000, nestingDepth: 100 };

interface Receiving extends ReadApiSetting {
  readonly receive?: (request: Uint8Array) => Receipt;
  readonly budgetBytes?: number;
  readonly maxDecompressedBytes?: number;
}

function receiving(given: Receiving = {}) {
  const { receive = accept, budgetBytes = 2 ** 24, maxDecompressedBytes = 2 ** 24 } = given;
  const received: number[] = [];
  const receiver = {
    receive: (request: Uint8Array) => {
      received.push(request.length);
      return receive(request);
    },
  };
  const budget = new InFlightBudget({ capacityBytes: budgetBytes, clock: SYSTEM_CLOCK });
  const receivers = { protobuf: receiver, json: receiver };
  const parts = { receivers, limits: LIMITS, budget, maxDecompressedBytes };
  return { ...runReadApi({ spanCount: 0, upload: parts, ...given }), received, budget };
}

function refuse(): Receipt {
  return { outcome: "malformed", message: "not a span", problem: "incomplete" };
}

function accept(): Receipt {
  return { outcome: "accepted", amounts: { ...zeroAmounts(), acceptedSpans: 1 } };
}

/** Begins an upload, and sends only a part of its body. */
async function beginUpload(port: number, lengthBytes: number, begin: Uint8Array) {
  const socket = connect({ port, host: "127.0.0.1" });
  const answer = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (bytes) => void (text += bytes.toString()));
    socket.once("close", () => resolve(text));
  });
  socket.on("error", () => {});
  const head = ["POST /api/upload HTTP/1.1", "Host: localhost", `Content-Length: ${lengthBytes}`];
  socket.write(`${[...head, `Content-Type: ${TYPE["Content-Type"]}`].join("\r\n")}\r\n\r\n`);
  await new Promise((resolve) => socket.write(begin, resolve));
  return { socket, answer };
}

test("the spans of a file are received, and the answer says how many", async () => {
  const { request, received, budget } = receiving();

  const response = await request("/api/upload", {
    method: "POST",
    headers: TYPE,
    body: requestOf(3),
  });

  const body: unknown = await response.json();
  expect(isMessage(upload(), body)).toBe(true);
  expect(body).toEqual({
    spans: 1,
    traces: 3,
    requests: 1,
    rejected_spans: 0,
    refused_requests: 0,
    other_signals: 0,
    broken_parts: 0,
    reasons: [],
    is_complete: true,
  });
  expect(received).toEqual([requestOf(3).length]);
  expect(budget.heldBytes).toBe(0);
});

test.each([
  { name: "a form", headers: { "Content-Type": "text/plain" }, status: 415 },
  { name: "no type", headers: {}, status: 415 },
  { name: "another site", headers: { ...TYPE, Origin: "http://evil.test" }, status: 403 },
  { name: "a foreign page", headers: { ...TYPE, "Sec-Fetch-Site": "cross-site" }, status: 403 },
])("an upload by $name is refused with $status, and stores nothing", async (given) => {
  const { request, received } = receiving();

  const body = requestOf(1);
  const response = await request("/api/upload", { method: "POST", headers: given.headers, body });

  expect(response.status).toBe(given.status);
  expect(received).toEqual([]);
});

test("a preflight of another site does not permit an upload", async () => {
  const { request } = receiving();
  const headers = { Origin: "http://evil.test", "Access-Control-Request-Method": "POST" };

  const response = await request("/api/upload", { method: "OPTIONS", headers });

  expect(response.status).toBe(403);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
});

test("a body without a length is refused", async () => {
  const { request } = receiving();
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(requestOf(1));
      controller.close();
    },
  });

  const response = await request("/api/upload", { method: "POST", headers: TYPE, body });

  expect([response.status, await response.json()]).toEqual([
    411,
    expect.objectContaining({ detail: "an upload must have a Content-Length" }),
  ]);
});

test("a file that is too large is refused before it is read", async () => {
  const { api, received } = receiving();
  const { answer } = await beginUpload(api.port, MAX_FILE_BYTES + 1, requestOf(1));

  expect(await answer).toContain('a file may have 256 MiB; \\"spanring send\\" takes larger ones');
  expect(received).toEqual([]);
});

test("no more than a few files are uploaded at once, and a closed one makes room", async () => {
  const { api, request, budget } = receiving();
  const uploads = await Promise.all(
    Array.from({ length: MAX_UPLOADS }, () => beginUpload(api.port, 1000, new Uint8Array())),
  );
  const begun = () => budget.heldBytes >= MAX_UPLOADS * 64 * 1024;
  while (!begun()) await new Promise((resolve) => void setImmediate(resolve));
  const send = () => request("/api/upload", { method: "POST", headers: TYPE, body: requestOf(1) });

  const refused = await send();
  uploads[0]!.socket.destroy();
  while (begun()) await new Promise((resolve) => void setImmediate(resolve));
  const taken = await send();
  for (const { socket } of uploads) socket.destroy();

  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(taken.status).toBe(200);
});

test("an upload that takes too much memory is cut off, and says so", async () => {
  const { request, budget } = receiving({ budgetBytes: 1024 });
  // One document, which must be held whole.
  const body = `{"resourceSpans":[${" ".repeat(500_000)}]}`;

  const response = await request("/api/upload", { method: "POST", headers: TYPE, body });

  expect(await response.json()).toMatchObject({
    is_complete: false,
    // The document ends early, which may be said first.
    reasons: expect.arrayContaining([
      expect.stringContaining("requests in flight take too much memory"),
    ]),
  });
  expect(budget.heldBytes).toBe(0);
});

test("what is refused is recorded as a problem", async () => {
  const { request, problems } = receiving({ receive: refuse });

  const response = await request("/api/upload", {
    method: "POST",
    headers: TYPE,
    body: requestOf(1),
  });

  expect(await response.json()).toMatchObject({ refused_requests: 1, reasons: ["not a span"] });
  expect(countsOf(problems)).toEqual({ incomplete: 1 });
});

test("without receivers, nothing can be uploaded", async () => {
  const { request } = runReadApi({ upload: undefined });

  const response = await request("/api/upload", {
    method: "POST",
    headers: TYPE,
    body: requestOf(1),
  });

  expect(response.status).toBe(404);
});

test("while spanring stops, nothing can be uploaded", async () => {
  const { request, beginToStop, received } = receiving();
  beginToStop();

  const response = await request("/api/upload", {
    method: "POST",
    headers: TYPE,
    body: requestOf(1),
  });

  expect([response.status, received]).toEqual([503, []]);
});

test("a file that grows too large when it is decompressed is cut off", async () => {
  const { request, budget } = receiving({ maxDecompressedBytes: 100_000 });
  const body = Bun.gzipSync(new Uint8Array(1_000_000));

  const response = await request("/api/upload", { method: "POST", headers: TYPE, body });

  expect(await response.json()).toMatchObject({
    is_complete: false,
    reasons: expect.arrayContaining([expect.stringContaining("more than 100000 bytes when")]),
  });
  expect(budget.heldBytes).toBe(0);
});

test("a fault of ours is recorded, and ends the file", async () => {
  const { request, problems } = receiving({
    receive: () => {
      throw new Error("broken");
    },
  });

  const response = await request("/api/upload", {
    method: "POST",
    headers: TYPE,
    body: requestOf(1),
  });

  expect(await response.json()).toMatchObject({ is_complete: false, refused_requests: 1 });
  expect(countsOf(problems)).toEqual({ failed: 1 });
});

test("a file that arrives too slowly is cut off", async () => {
  let nowMs = 0;
  const clock = { ...SYSTEM_CLOCK, monotonicMs: () => nowMs };
  const { api, budget } = receiving({ clock });
  const { socket, answer } = await beginUpload(api.port, 1000, new Uint8Array());
  while (budget.heldBytes === 0) await new Promise((resolve) => void setImmediate(resolve));
  nowMs = 60_000;
  socket.write(new Uint8Array(1));

  expect(await answer).toContain("the file arrives at less than 1 KiB a second");
});
