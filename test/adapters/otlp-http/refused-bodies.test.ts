import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { PATIENT_CLOCK } from "../../support/fakes/patient-clock.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";
import { writeThenRead } from "../../support/running/write-then-read.ts";

// These senders write the whole body before they read the refusal, on connections that are closed
// after it.

stopOtlpHttpAfterEach();

const MIB = 1024 * 1024;
const MAX = 100_000;
const BODY = new Uint8Array(8 * MIB);
const TYPE = "Content-Type: application/x-protobuf";
const LENGTH = `Content-Length: ${BODY.length}`;
const CHUNK = Buffer.concat([Buffer.from(`${BODY.length.toString(16)}\r\n`), BODY]);
const CHUNKED = Buffer.concat([CHUNK, Buffer.from("\r\n0\r\n\r\n")]);

const CLOSING = [
  { name: "HTTP/1.0", version: "HTTP/1.0", connection: [] },
  { name: "HTTP/1.0 of nginx", version: "HTTP/1.0", connection: ["Connection: close"] },
  {
    name: "HTTP/1.1 with Connection: close",
    version: "HTTP/1.1",
    connection: ["Connection: close"],
  },
];

test.each(CLOSING)("the sender can read 413: $name", async ({ version, connection }) => {
  const { listener, budget } = runOtlpHttp({ maxBodyBytes: MAX, clock: PATIENT_CLOCK });

  const head = [`POST /v1/traces ${version}`, "Host: localhost", TYPE, LENGTH, ...connection];
  const end = await writeThenRead(listener.port, { head, body: BODY });

  expect(end).toEqual({ isWritten: true, answer: expect.stringMatching(/^HTTP\/1\.1 413 /) });
  expect(end.answer).toContain(`longer than ${MAX} bytes`);
  expect(budget.heldBytes).toBe(0);
});

test("the sender can read 413 after chunks without a length", async () => {
  const { listener } = runOtlpHttp({ maxBodyBytes: MAX, clock: PATIENT_CLOCK });

  const chunked = ["Transfer-Encoding: chunked", "Connection: close"];
  const head = ["POST /v1/traces HTTP/1.1", "Host: localhost", TYPE, ...chunked];
  const end = await writeThenRead(listener.port, { head, body: CHUNKED });

  expect(end).toEqual({ isWritten: true, answer: expect.stringMatching(/^HTTP\/1\.1 413 /) });
});

test.each([
  { status: 404, path: "/v1/trace", headers: [TYPE] },
  { status: 405, path: "/v1/traces", method: "PUT", headers: [TYPE] },
  { status: 415, path: "/v1/traces", headers: ["Content-Type: text/plain"] },
  { status: 415, path: "/v1/traces", headers: [TYPE, "Content-Encoding: br"] },
])("the sender can read $status: $headers", async ({ status, path, method, headers }) => {
  const { listener } = runOtlpHttp({ clock: PATIENT_CLOCK });

  const line = `${method ?? "POST"} ${path} HTTP/1.0`;
  const head = [line, "Host: localhost", LENGTH, ...headers];
  const end = await writeThenRead(listener.port, { head, body: BODY });

  const answer = expect.stringMatching(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(end).toEqual({ isWritten: true, answer });
});

test("a body that was read to its end before the refusal is not drained", async () => {
  const { listener } = runOtlpHttp({ maxBodyBytes: MAX, clock: PATIENT_CLOCK });
  const body = gzipSync(BODY);

  const coding = ["Content-Encoding: gzip", `Content-Length: ${body.length}`];
  const head = ["POST /v1/traces HTTP/1.0", "Host: localhost", TYPE, ...coding];
  const end = await writeThenRead(listener.port, { head, body });

  expect(end.answer).toStartWith("HTTP/1.1 413 ");
});

/** Returns a request for an unknown path. */
function misdirected(...headers: string[]): string {
  const head = ["POST /v1/trace HTTP/1.1", "Host: localhost", TYPE, "Content-Length: 2"];
  return [...head, ...headers, "", "{}"].join("\r\n");
}

test("refusals of requests that are sent together are all answered", async () => {
  const { listener } = runOtlpHttp({ clock: PATIENT_CLOCK });
  const requests = misdirected() + misdirected() + misdirected("Connection: close");
  const socket = connect(listener.port, "127.0.0.1", () => void socket.write(requests));
  const answers: Buffer[] = [];
  socket.on("data", (bytes: Buffer) => answers.push(bytes));

  await once(socket, "close");

  expect(String(Buffer.concat(answers)).split("HTTP/1.1 404 ")).toHaveLength(4);
});
