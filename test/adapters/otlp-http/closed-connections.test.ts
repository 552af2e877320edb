import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import {
  FairTurns,
  SPARE_BYTES,
  type SteppedWork,
} from "../../../src/adapters/listening/fair-turns.ts";
import { MAX_SHORT_BYTES } from "../../../src/adapters/otlp-http/receive-body.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import {
  type RunningOtlpHttp,
  runOtlpHttp,
  stopOtlpHttpAfterEach,
} from "../../support/running/running-otlp-http.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

// Goal: a request whose connection is closed before it is received is not received later: its
// sender gets no response and sends it again. Method: turns that never have time, and that come to
// the bodies that wait only when the connection is closed.

stopOtlpHttpAfterEach();

class HeldTurns extends FairTurns {
  readonly waiting: SteppedWork[] = [];

  constructor() {
    super(SYSTEM_CLOCK);
  }

  override hasTime(): boolean {
    return false;
  }

  override queue(work: SteppedWork): void {
    this.waiting.push(work);
  }
}

const HEAD = "POST /v1/traces HTTP/1.1\r\nHost: a\r\n";

function post(body: Buffer, headers: string): Buffer {
  const head = `${HEAD}${headers}Content-Length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const JSON_TYPE = "Content-Type: application/json\r\n";
const SHORT = Buffer.from('{"resourceSpans":[]}'.padEnd(SPARE_BYTES + 1));
const LONG = Buffer.from('{"resourceSpans":[]}'.padEnd(MAX_SHORT_BYTES + 1));

const FORMS = [
  { form: "JSON", request: post(SHORT, JSON_TYPE) },
  { form: "gzip", request: post(gzipSync(SHORT), `${JSON_TYPE}Content-Encoding: gzip\r\n`) },
  { form: "long JSON", request: post(LONG, JSON_TYPE) },
];

const CLOSINGS: { closing: string; after: (request: Buffer, socket: Socket) => void }[] = [
  { closing: "half-closed", after: (_, socket) => socket.end() },
  { closing: "pipelined", after: (request, socket) => void socket.write(request) },
];

const CASES = FORMS.flatMap((form) => CLOSINGS.map((closing) => Object.assign({}, form, closing)));

async function connectTo({ listener }: RunningOtlpHttp): Promise<Socket> {
  const socket = connect({ port: listener.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Waits for the end, or for the reset that takes its place if something has not been read. */
async function untilClosed(socket: Socket): Promise<void> {
  await once(socket.resume(), "end").catch(() => {});
}

async function untilEnded({ listener }: RunningOtlpHttp): Promise<void> {
  while (listener.counts().requestsInFlight > 0) await nextTurn();
}

test.each(CASES)("a $closing request that waits is not received: $form", async (sent) => {
  const turns = new HeldTurns();
  const running = runOtlpHttp({ turns });
  const socket = await connectTo(running);
  socket.write(sent.request);
  while (turns.waiting.length === 0) await nextTurn();

  sent.after(sent.request, socket);
  await untilClosed(socket);
  for (const work of turns.waiting) work.step();
  await untilEnded(running);
  socket.destroy();

  expect(running.receiver.requests).toEqual([]);
  expect(running.receiver.turnedAwayAs).toEqual(["malformed"]);
  expect(countsOf(running.problems)).toMatchObject({ incomplete: 1 });
});

test.each(FORMS)(
  "a request whose connection stays open is received: $form",
  async ({ request }) => {
    const turns = new HeldTurns();
    const running = runOtlpHttp({ turns });
    const socket = await connectTo(running);
    socket.write(request);
    while (turns.waiting.length === 0) await nextTurn();

    for (const work of turns.waiting) work.step();
    const [answer] = (await once(socket, "data")) as [Buffer];
    socket.destroy();

    expect(answer.toString()).toStartWith("HTTP/1.1 200 ");
    expect(running.receiver.requests).toHaveLength(1);
  },
);

// Bodies in chunks are read from the next turn of the event loop on.
test("a pipelined request in chunks is not received", async () => {
  const running = runOtlpHttp();
  const socket = await connectTo(running);
  const type = "Content-Type: application/x-protobuf\r\n";
  const body = "Transfer-Encoding: chunked\r\n\r\n2\r\n\0\0\r\n0\r\n\r\n";

  socket.write(`${HEAD}${type}${body}`.repeat(2));
  await untilClosed(socket);
  await untilEnded(running);
  socket.destroy();

  expect(running.receiver.requests).toEqual([]);
  expect(running.receiver.turnedAwayAs).toEqual(["malformed"]);
  expect(countsOf(running.problems)).toMatchObject({ incomplete: 1 });
});
