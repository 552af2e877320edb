import { expect, test } from "bun:test";
import { once } from "node:events";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ServerTls } from "../../../src/adapters/listening/server-tls.ts";
import { HandMovedSleep } from "../../support/fakes/hand-moved-sleep.ts";
import {
  type RunningOtlpHttp,
  runOtlpHttp,
  stopOtlpHttpAfterEach,
} from "../../support/running/running-otlp-http.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";

// Goal: a stop waits for requests and their answers, and for nothing else.
// Method: a clock that is moved to within the grace period, so that nothing else ends the stop; Bun
// itself closes a connection with an incomplete head after 12 s.

stopOtlpHttpAfterEach();

const GRACE_MS = 10_000;
const MANY_TURNS = 1_000;
const INCOMPLETE_HEAD = "POST /v1/traces HTTP/1.1\r\nHost: a\r\n";

/** Connects; half open, so that the end of the server does not end the socket. */
async function connectTo(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  await once(socket, "connect");
  return socket;
}

/** Stops a listener. Resolves to what has happened after half of its grace period. */
async function stopWithinHalf({ listener }: RunningOtlpHttp, clock: HandMovedSleep) {
  const stopped = listener.stop(GRACE_MS).then(() => "has stopped" as const);
  clock.moveMs(GRACE_MS / 2);
  return await Promise.race([stopped, manyTurns()]);
}

async function manyTurns(): Promise<"waits"> {
  for (let turn = 0; turn < MANY_TURNS; turn += 1) await nextTurn();
  return "waits";
}

test("a stop does not wait for the rest of a head", async () => {
  const clock = new HandMovedSleep();
  const running = runOtlpHttp({ clock });
  const { listener, request } = running;
  const socket = await connectTo(listener.port);
  socket.write(INCOMPLETE_HEAD);
  // The answer shows that the server has read what came before it.
  await request("/");

  const outcome = await stopWithinHalf(running, clock);
  socket.destroy();

  expect(outcome).toBe("has stopped");
});

test.each([
  { name: "for a first request", sent: "" },
  { name: "for the rest of a head", sent: INCOMPLETE_HEAD },
])("with TLS, a stop does not wait $name", async ({ sent }) => {
  const { cert, key } = makeCertificates().server;
  const material = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined };
  const clock = new HandMovedSleep();
  const running = runOtlpHttp({ clock, tls: new ServerTls(material) });
  const place = { port: running.listener.port, host: "127.0.0.1", allowHalfOpen: true };
  const socket = connectTls({ ...place, rejectUnauthorized: false });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  socket.write(sent);

  const outcome = await stopWithinHalf(running, clock);
  socket.destroy();

  expect(outcome).toBe("has stopped");
});

/** Requests something over a session that receives no body until it enlarges its window. */
async function requestUnread(session: ClientHttp2Session) {
  const stream = session.request({ ":path": "/" });
  const body = stream.toArray() as Promise<Buffer[]>;
  await once(stream, "response");
  return async () => Buffer.concat(await body).length;
}

test("a stop waits for an answer that has not been sent as a whole", async () => {
  const clock = new HandMovedSleep();
  const running = runOtlpHttp({ clock });
  const { listener } = running;
  const socket = await connectTo(listener.port);
  socket.write(INCOMPLETE_HEAD);
  const settings = { initialWindowSize: 0 };
  const session = connectHttp2(`http://127.0.0.1:${listener.port}`, { settings });
  const receivedBytes = await requestUnread(session);

  const outcome = await stopWithinHalf(running, clock);
  session.settings({ initialWindowSize: 1_000 });
  const received = await receivedBytes();
  socket.destroy();

  expect(outcome).toBe("waits");
  expect(received).toBeGreaterThan(0);
});
