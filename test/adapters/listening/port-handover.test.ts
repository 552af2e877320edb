import { afterEach, expect, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { connect as connectSocket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import {
  handOverPort,
  listeningDescriptors,
} from "../../../src/adapters/listening/port-handover.ts";
import { HANDOVER_MS, ServedPort } from "../../../src/adapters/listening/served-port.ts";
import type { TimerClock } from "../../../src/ports/clock.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";

const { authority, server, renewed } = makeCertificates();
const CA = authority.cert;

const served: ServedPort[] = [];

afterEach(async () => {
  await Promise.all(served.splice(0).map((each) => each.abort()));
});

/** Serves the certificates in turn; `/` answers with the number of the server. */
function serveInTurn(clock: TimerClock = SYSTEM_CLOCK) {
  const certificates = [server, renewed];
  let count = 0;
  const port = new ServedPort({
    serve: (wanted, reusePort) => {
      const [{ cert, key }] = [certificates[count % 2]!];
      count += 1;
      const name = `server ${count}`;
      return Bun.serve({
        hostname: "127.0.0.1",
        port: wanted,
        reusePort,
        development: false,
        tls: { cert, key },
        fetch: () => new Response(name),
      });
    },
    address: { host: "127.0.0.1", port: 0 },
    mayBreakOff: true,
    clock,
  });
  served.push(port);
  return port;
}

async function connect({ port }: ServedPort): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: CA });
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve);
    socket.once("error", reject);
  });
  return socket;
}

async function ask(socket: TLSSocket): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    socket.once("data", (bytes) => resolve(String(bytes).split("\r\n\r\n")[1]!));
    socket.once("close", () => resolve("closed"));
  });
  socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
  return await answer;
}

test("new connections reach the new server, and open ones stay with the old one", async () => {
  const port = serveInTurn();
  const old = await connect(port);
  const before = await ask(old);

  port.replace();
  const next = await connect(port);

  expect(before).toBe("server 1");
  expect(next.getPeerCertificate().subject.CN).toBe("renewed");
  expect(await ask(next)).toBe("server 2");
  expect(await ask(old)).toBe("server 1");
});

test("a connection that is in the middle of its handshake is not lost", async () => {
  const port = serveInTurn();
  const raw = connectSocket(port.port, "127.0.0.1");
  await new Promise((resolve) => raw.once("connect", resolve));
  await ask(await connect(port));

  port.replace();
  const socket = connectTls({ socket: raw, servername: "localhost", ca: CA });
  await new Promise((resolve) => socket.once("secureConnect", resolve));

  expect(await ask(socket)).toBe("server 1");
});

test("no request fails while the server is replaced again and again", async () => {
  const clock = new HandMovedClock();
  const port = serveInTurn(clock);
  const answers: string[] = [];
  const over = new AbortController();
  const askAgain = async () => {
    while (!over.signal.aborted) {
      const socket = await connect(port);
      answers.push(await ask(socket), await ask(socket));
      socket.destroy();
    }
  };

  const asking = Array.from({ length: 8 }, askAgain);
  for (let round = 1; round <= 20; round += 1) {
    while (answers.length < 20 * round) await Bun.sleep(0);
    port.replace();
    // A handover that is still going on delays the next one.
    while (answers.length < 20 * round + 10) await Bun.sleep(0);
    clock.moveMs(HANDOVER_MS);
  }
  over.abort();
  await Promise.all(asking);

  expect(answers.filter((answer) => !/^server \d+$/.test(answer))).toEqual([]);
  expect(new Set(answers).size).toBeGreaterThan(15);
});

test("a change that follows another one waits until that is carried out", async () => {
  const clock = new HandMovedClock();
  const port = serveInTurn(clock);
  port.replace();

  port.replace();
  const before = await ask(await connect(port));
  clock.moveMs(HANDOVER_MS);
  const after = await ask(await connect(port));

  expect([before, after]).toEqual(["server 2", "server 3"]);
});

test.each([
  { call: "replace", prepare: () => {} },
  { call: "resume", prepare: (port: ServedPort) => port.pause() },
] as const)("$call() does not make a stopped port listen again", async ({ call, prepare }) => {
  const clock = new HandMovedClock();
  const port = serveInTurn(clock);
  prepare(port);
  await port.stop();

  await port[call]();
  clock.moveMs(HANDOVER_MS);
  const outcome = await new Promise((resolve) => {
    const socket = connectSocket(port.port, "127.0.0.1");
    socket.once("connect", () => resolve(socket.destroy() && "connected"));
    socket.once("error", (error: Error & { code?: string }) => resolve(error.code));
  });

  expect(outcome).toBe("ECONNREFUSED");
});

test("other programs cannot share the port afterwards", () => {
  const port = serveInTurn();

  port.replace();
  const listen = () =>
    Bun.serve({
      hostname: "127.0.0.1",
      port: port.port,
      reusePort: false,
      fetch: () => new Response(),
    });

  expect(listen).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
});

test("a port that was replaced can be paused, resumed and stopped", async () => {
  const port = serveInTurn();
  port.replace();

  port.pause();
  const paused = await connect(port).catch((error: NodeJS.ErrnoException) => error.code);
  await port.resume();
  const answer = await ask(await connect(port));
  port.replace();
  await port.stop();

  expect(paused).toBe("ECONNREFUSED");
  expect(answer).toBe("server 3");
  expect(port.pendingRequests).toBe(0);
});

test("a paused port is not replaced", async () => {
  const port = serveInTurn();
  port.pause();

  port.replace();
  const paused = await connect(port).catch((error: NodeJS.ErrnoException) => error.code);

  expect(paused).toBe("ECONNREFUSED");
});

test("a port that holds back connections is replaced when it resumes", async () => {
  const port = serveInTurn();
  const old = await connect(port);
  port.hold();

  port.replace();
  const events: string[] = [];
  const asked = connect(port).then(ask);
  const waiting = asked.then((answer) => events.push(`new: ${answer}`));
  for (let turn = 0; turn < 10; turn += 1) events.push(`old: ${await ask(old)}`);
  await port.resume();
  await waiting;

  expect(events).toEqual([...Array.from({ length: 10 }, () => "old: server 1"), "new: server 2"]);
});

function denyFiles(): never {
  throw Object.assign(new Error("EMFILE"), { code: "EMFILE" });
}

test("the old socket is closed even if no descriptor is left", () => {
  const known = listeningDescriptors();
  const first = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const [old] = listeningDescriptors().difference(known);
  const handover = handOverPort(old, () => undefined);

  const opening = spyOn(fs, "openSync").mockImplementation(denyFiles);
  handover?.finish();
  opening.mockRestore();

  expect(listeningDescriptors().difference(known).size).toBe(0);
  void first.stop(true);
});

test("nothing stays open when the new server cannot listen", () => {
  const known = listeningDescriptors();
  const first = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const [old] = listeningDescriptors().difference(known);
  const before = fs.readdirSync("/proc/self/fd").length;

  const handOver = () =>
    handOverPort(old, () => {
      throw new Error("the port is taken");
    });

  expect(handOver).toThrow("the port is taken");
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
  void first.stop(true);
});

function serveNothing(port: number, reusePort: boolean) {
  return Bun.serve({ hostname: "127.0.0.1", port, reusePort, fetch: () => new Response() });
}

test.each([
  { name: "no file can be opened", open: denyFiles, listen: () => undefined },
  { name: "the new server cannot listen", open: fs.openSync, listen: denyFiles },
])("other programs cannot share the port after $name", async ({ open, listen }) => {
  const known = listeningDescriptors();
  const first = serveNothing(0, false);
  const [old] = listeningDescriptors().difference(known);

  const opening = spyOn(fs, "openSync").mockImplementation(open);
  const handOver = () => handOverPort(old, listen);
  expect(handOver).toThrow("EMFILE");
  opening.mockRestore();
  const share = () => serveNothing(first.port!, true);

  expect(share).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  await first.stop(true);
});

test("a file that is no socket cannot be handed over, and nothing stays open", () => {
  const file = fs.openSync("/dev/null", "r");
  const before = fs.readdirSync("/proc/self/fd").length;

  const handover = handOverPort(file, () => undefined);
  const after = fs.readdirSync("/proc/self/fd").length;
  fs.closeSync(file);

  expect([handover, after]).toEqual([undefined, before]);
});

test("the old socket no longer listens when the handover is finished", () => {
  const known = listeningDescriptors();
  const first = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const [old] = listeningDescriptors().difference(known);

  const handover = handOverPort(old, () => undefined);
  handover?.finish();

  expect(listeningDescriptors().difference(known).size).toBe(0);
  void first.stop(true);
});

test("a socket that is not known cannot be handed over", () => {
  expect(handOverPort(undefined, () => 1)).toBeUndefined();
});
