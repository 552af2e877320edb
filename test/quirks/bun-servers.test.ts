import { expect, test } from "bun:test";
import { once } from "node:events";
import { existsSync, unlinkSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";

// Goal and method: as in `bun.test.ts`, for servers and processes.

const OPTIONS = { hostname: "127.0.0.1", port: 0, development: false, fetch: () => new Response() };

/** Connects to a server; half open, so that the end of the server does not end the socket. */
async function connectTo({ port }: { readonly port: number | undefined }): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port: port ?? 0, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

// adapters/listening/served-port.ts, ServedPort
test("a server that has stopped gently keeps connections without a complete request", async () => {
  const server = Bun.serve(OPTIONS);
  const socket = await connectTo(server);
  socket.write("GET / HTTP/1.1\r\n");
  // The answer shows that the server has read what came before it.
  await fetch(server.url);

  const stopped = server.stop();
  socket.write("Host: a\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  await stopped;

  expect(answer.toString()).toStartWith("HTTP/1.1 200 ");
});

// adapters/otlp-http/request-body.ts, BodyDrain
test("a connection that is closed after the response resets what is sent after that", async () => {
  await using server = Bun.serve({ ...OPTIONS, fetch: () => new Response("", { status: 413 }) });
  const socket = await connectTo(server);
  socket.write("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n123");
  await once(socket.resume(), "end");
  const failure = new Promise<Error>((resolve) => socket.on("error", resolve));

  // The first is answered with a reset, so the second fails.
  socket.write("456", () => socket.write("789"));

  expect(await failure).toMatchObject({ code: expect.stringMatching(/^(EPIPE|ECONNRESET)$/) });
});

// adapters/cli/output/text-columns.ts, firstColumns()
test("a slice of text keeps a wide character of which only half fits", () => {
  expect(Bun.stringWidth(Bun.sliceAnsi("字字", 0, 3))).toBe(4);
});

/** Runs a program in a runtime of its own; returns its output. */
function outputOf(program: string): { readonly stdout: string; readonly stderr: string } {
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", program]);
  return { stdout: stdout.toString(), stderr: stderr.toString() };
}

// adapters/read-api/answer-stream.ts, controller.error()
test("the error of a response body is printed to standard error", () => {
  const { stderr } = outputOf(`
    const body = () => new ReadableStream({ pull: (c) => c.error(new Error("of the body")) });
    const server = Bun.serve({ port: 0, development: false, fetch: () => new Response(body()) });
    await fetch(server.url).then((response) => response.text()).catch(() => {});
    await server.stop(true);
  `);

  expect(stderr).toContain("error: of the body");
});

// adapters/read-api/tail-answer.ts, withBeats()
test("the headers of a response are sent with the first chunk of its body", async () => {
  const seen: string[] = [];
  const started = Promise.withResolvers<ReadableStreamDefaultController>();
  const fetchOf = ({ url }: Request): Response =>
    url.endsWith("/slow")
      ? new Response(new ReadableStream({ start: started.resolve }))
      : new Response();
  await using server = Bun.serve({ ...OPTIONS, fetch: fetchOf });
  const answered = fetch(`${server.url.href}slow`).then(() => seen.push("headers"));
  const controller = await started.promise;
  // Headers that were sent on their own would arrive before this answer.
  await fetch(server.url);

  seen.push("first chunk");
  controller.enqueue(new Uint8Array(1));
  await answered;

  expect(seen).toEqual(["first chunk", "headers"]);
});

// adapters/clock/system-clock.ts, repeat()
test("waiting in the main module, with nothing that keeps the process, takes a core", () => {
  const { stdout } = outputOf(`
    const start = process.cpuUsage();
    const end = () => {
      const { user, system } = process.cpuUsage(start);
      console.log((user + system) / 1000);
      process.exit();
    };
    setTimeout(end, 400).unref();
    await new Promise(() => {});
  `);

  // In milliseconds; an idle process takes about one.
  expect(Number(stdout)).toBeGreaterThan(20);
});

// adapters/otlp-http/request-body.ts, readWhole()
test("a body that Bun collects cannot be looked at before its end", async () => {
  const looked = Promise.withResolvers<unknown>();
  await using server = Bun.serve({
    ...OPTIONS,
    fetch: async (request) => {
      const whole = request.bytes();
      looked.resolve([request.body?.locked, request.bodyUsed]);
      return new Response(await whole);
    },
  });
  const socket = await connectTo(server);

  socket.write("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123");
  const state = await looked.promise;
  socket.destroy();

  expect(state).toEqual([true, true]);
});

/** Connects in a process of its own, while this thread waits, and sends a request. */
function sendBesides(port: number): void {
  const { exitCode } = Bun.spawnSync([
    process.execPath,
    "-e",
    `const socket = require("node:net").connect(${port}, "127.0.0.1");
     socket.write("GET / HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n", () => process.exit());`,
  ]);
  expect(exitCode).toBe(0);
}

// adapters/otlp-http/request-body.ts, readPieces()
test("a server reads connections that come while it reads others, all in one turn", async () => {
  const ROUNDS = 3;
  let [turns, requests] = [0, 0];
  const seen = Promise.withResolvers<number>();
  await using server = Bun.serve({
    ...OPTIONS,
    fetch: () => {
      requests += 1;
      if (requests === 1) setImmediate(() => void (turns += 1));
      if (requests < ROUNDS) sendBesides(server.port!);
      else seen.resolve(turns);
      return new Response();
    },
  });

  sendBesides(server.port!);

  expect(await seen.promise).toBe(0);
});

// adapters/listening/unix-socket.ts, closeSocket()
test.each([
  {
    name: "node:net",
    listen: (path: string) => {
      const server = createServer().listen({ path });
      return () => void server.close();
    },
  },
  {
    name: "Bun.serve",
    listen: (path: string) => {
      const server = Bun.serve({ unix: path, fetch: () => new Response() });
      return () => void server.stop();
    },
  },
])("a listener of $name removes whatever is at its path", ({ listen }) => {
  const path = join(temporaryFolder(), "socket");
  const close = listen(path);
  unlinkSync(path);
  writeFileSync(path, "precious");

  close();

  expect(existsSync(path)).toBe(false);
});

// adapters/otlp-http/unanswered-request.ts, answerInstead(), its exception
test("with TLS, a pipelined request is not aborted before the client's end", async () => {
  const { server: own } = makeCertificates();
  const begun = Promise.withResolvers<Request>();
  const answered = Promise.withResolvers<Response>();
  await using server = Bun.serve({
    ...OPTIONS,
    tls: { cert: own.cert, key: own.key },
    fetch: (request) => (begun.resolve(request), answered.promise),
  });
  const place = { host: "127.0.0.1", port: server.port!, allowHalfOpen: true };
  const socket = connectTls({ ...place, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2));

  await once(socket.resume(), "end");
  const { signal } = await begun.promise;
  const before = signal.aborted;
  const aborted = once(signal, "abort");
  socket.destroy();
  await aborted;
  answered.resolve(new Response());

  expect(before).toBe(false);
});
