import { expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { readConfig } from "../../../../src/config/config.ts";
import { startServer } from "../../../../src/server/server.ts";
import {
  type Answer,
  startFakeServer,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";

// Goal: a command that connects to a wrong port explains the mistake and names the right port, in
// our own words: the runtime's messages address programmers who call `fetch`.

stopFakeServersAfterEach();

const PORTS =
  "The read API listens on port 4319 unless API_PORT is set; 4317 is for OTLP/gRPC, and 4318 for " +
  "OTLP/HTTP.\nIf spanring is elsewhere, set --url or SPANRING_URL.\n";
const RUNTIME_WORDING = /fetch|verbose|second argument|Is the computer able/i;

const COMMANDS = [["stats"], ["get"], ["traces"], ["wait"], ["take"], ["clear"], ["tail"]];

async function startSpanring() {
  const env = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };
  const reading = readConfig({ ...env, OTLP_GRPC_HOST: "127.0.0.1", OTLP_HTTP_HOST: "127.0.0.1" });
  if (!reading.ok) throw new Error("the configuration is not right");
  const parts = { config: reading.config, logger: new RecordingLogger(), version: "0.0.0" };
  return await startServer(parts);
}

test.each(COMMANDS)("%s recognises the port for OTLP/gRPC", async (command) => {
  const server = await startSpanring();
  const url = `http://127.0.0.1:${server.ports.grpc}`;

  const end = await runCommands([command, "--url", url]);
  await server.stop(0);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toMatch(
    /^spanring: \S+ answered 421 Misdirected Request: it is the port for OTLP\/gRPC\n/,
  );
  expect(end.stderr).toEndWith(`\n${PORTS}`);
});

test.each(COMMANDS)("%s recognises the port for OTLP/HTTP", async (command) => {
  const server = await startSpanring();
  const url = `http://127.0.0.1:${server.ports.http}`;

  const end = await runCommands([command, "--url", url]);
  await server.stop(0);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toMatch(
    /^spanring: \S+ answered 404 Not Found: it is the port for OTLP\/HTTP\n/,
  );
  expect(end.stderr).toEndWith(`\n${PORTS}`);
});

// With a trace id, `traces` takes 404 for "not found": this 404 does not concern the trace.
test.each([...COMMANDS, ["traces", "0af7651916cd43dd8448eb211c80319c"]])(
  "%s reports a URL whose path the read API does not have",
  async (...command) => {
    const server = await startSpanring();
    const url = `http://127.0.0.1:${server.ports.api}/x`;

    const end = await runCommands([...command, "--url", url]);
    await server.stop(0);

    expect(end).toMatchObject({ exitCode: 3, stdout: "" });
    expect(end.stderr).toMatch(
      /^spanring: \S+\/x\/api\/\S+ answered 404 Not Found: the read API has no such path\n/,
    );
    expect(end.stderr).toEndWith("\nSet --url or SPANRING_URL to the part before /api.\n");
  },
);

/** SETTINGS, then GOAWAY because of an invalid preface. Source: RFC 9113, 6.5 and 6.8. */
const HTTP2_REFUSAL = Uint8Array.fromHex("0000000400000000000000080700000000000000000000000001");

/** Starts a server that calls `greet` with each connection. */
async function listening(greet: (socket: Socket) => void) {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.dispose]: () => void server.close() };
}

test.each<{ name: string; scheme?: string; greet: Parameters<typeof listening>[0]; says: string }>([
  {
    name: "another protocol",
    greet: (socket) => void socket.end("SSH-2.0-OpenSSH_9.9\r\n"),
    says: "does not respond in HTTP/1.1",
  },
  {
    name: "gRPC only",
    greet: (socket) => void socket.once("data", () => socket.end(HTTP2_REFUSAL)),
    says: "does not respond in HTTP/1.1: it may be the port for OTLP/gRPC\n",
  },
  {
    name: "nothing",
    greet: (socket) => void socket.destroy(),
    says: "was reset; if it requires TLS, use https: instead\n",
  },
  {
    name: "plain HTTP where TLS is expected",
    scheme: "https",
    greet: (socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"),
    says: "does not speak TLS",
  },
])(
  "a port that speaks $name is reported without the runtime's wording",
  async ({ scheme = "http", greet, says }) => {
    using server = await listening(greet);

    const end = await runCommands(["stats", "--url", `${scheme}://127.0.0.1:${server.port}`]);

    expect(end).toMatchObject({ exitCode: 3, stdout: "" });
    expect(end.stderr).toContain(says);
    expect(end.stderr).toEndWith(PORTS);
    expect(end.stderr).not.toMatch(RUNTIME_WORDING);
  },
);

const redirecting: Answer = ({ path }) => Response.redirect(path, 302);
const page: Answer = () => new Response("<html>", { headers: { "Content-Type": "text/html" } });

test("an endless redirection is reported without the runtime's wording", async () => {
  const { url } = startFakeServer(redirecting);

  const end = await runCommands(["stats", "--url", url]);

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toStartWith(`spanring: cannot connect to ${url}: it redirects in a loop\n`);
  expect(end.stderr).not.toMatch(RUNTIME_WORDING);
});

test.each(COMMANDS)("%s rejects a web page as an answer", async (command) => {
  const { url } = startFakeServer(page);

  const end = await runCommands([command, "--url", url]);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toMatch(/^spanring: \S+ answered with a web page: it is not the read API of/);
  expect(end.stderr).toEndWith(PORTS);
});

test("a proxy in use is named as a possible cause", async () => {
  const env = { HTTP_PROXY: "http://127.0.0.1:1", NO_COLOR: "1" };

  const end = await runCommands(["stats", "--url", "http://spanring.invalid:4319"], { env });

  expect(end.exitCode).toBe(3);
  expect(end.stderr).toContain("; HTTP_PROXY is set, so it may be the proxy\n");
});
