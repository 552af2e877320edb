import { expect, test } from "bun:test";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { FairTurns, SPARE_BYTES } from "../../../src/adapters/listening/fair-turns.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

// Goal: however busy the event loop is, senders that pipeline or half-close small requests get
// their answers. Method: turns that never have time, and never come to what waits for them.

stopOtlpHttpAfterEach();

class BusyTurns extends FairTurns {
  waitingCount = 0;

  constructor() {
    super(SYSTEM_CLOCK);
  }

  override hasTime(): boolean {
    return false;
  }

  override queue(): void {
    this.waitingCount += 1;
  }
}

function post(body: Buffer, encoding: string): Buffer {
  const type = "Content-Type: application/json";
  const length = `Content-Length: ${body.length}`;
  const head = `POST /v1/traces HTTP/1.1\r\nHost: a\r\n${type}\r\n${encoding}${length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const BODY = Buffer.from('{"resourceSpans":[]}');
const LARGER = Buffer.from('{"resourceSpans":[]}'.padEnd(SPARE_BYTES + 1));

/** Sends requests and the end of the connection at once. Resolves to the number of answers. */
function answersTo(port: number, requests: readonly Buffer[], { end }: { end: boolean }) {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const count = (): number => received.split("HTTP/1.1 200 ").length - 1;
  let received = "";
  const { promise, resolve } = Promise.withResolvers<number>();
  const check = (isClosed: boolean): void => {
    if (!isClosed && count() < requests.length) return;
    resolve(count());
    socket.destroy();
  };
  socket.on("data", (bytes) => {
    received += bytes.toString();
    check(false);
  });
  socket.once("end", () => check(true));
  socket.on("error", () => check(true));
  socket.cork();
  socket.write(Buffer.concat(requests));
  if (end) socket.end();
  socket.uncork();
  return promise;
}

const FORMS = [
  { form: "JSON", request: post(BODY, "") },
  { form: "gzip", request: post(gzipSync(BODY), "Content-Encoding: gzip\r\n") },
];

test.each(FORMS)("pipelined small requests are all answered: $form", async ({ request }) => {
  const { listener, receiver } = runOtlpHttp({ turns: new BusyTurns() });

  const answers = await answersTo(listener.port, Array<Buffer>(20).fill(request), { end: false });

  expect([answers, receiver.requests.length]).toEqual([20, 20]);
});

test.each(FORMS)("a half-closed small request is answered: $form", async ({ request }) => {
  const { listener, receiver } = runOtlpHttp({ turns: new BusyTurns() });

  const answers = await answersTo(listener.port, [request], { end: true });

  expect([answers, receiver.requests.length]).toEqual([1, 1]);
});

// What the others must not become: a way around the turns.
test.each([
  { form: "JSON", request: post(LARGER, "") },
  { form: "gzip", request: post(gzipSync(LARGER), "Content-Encoding: gzip\r\n") },
])("a larger request waits for its turn: $form", async ({ request }) => {
  const turns = new BusyTurns();
  const { listener, receiver } = runOtlpHttp({ turns });

  const answers = await answersTo(listener.port, [request], { end: true });

  expect([answers, receiver.requests.length, turns.waitingCount]).toEqual([0, 0, 1]);
});
