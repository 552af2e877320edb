import { afterEach, describe, expect, test } from "bun:test";
import { Client, credentials, status } from "@grpc/grpc-js";
import { existsSync, mkdtempSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { readConfig } from "../../src/config/config.ts";
import { checkStart } from "../../src/server/check.ts";
import { CannotStartError, type RunningServer } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { callUnary, EXPORT_PATH } from "../support/grpc/grpc-call.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const root = temporaryFolder();
const running: RunningServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.stop(0)));
});

function pathsIn() {
  const folder = mkdtempSync(join(root, "u-"));
  const [grpc, http, api] = ["grpc", "http", "api"].map((name) => join(folder, name));
  return { grpc: grpc!, http: http!, api: api! };
}

type Paths = ReturnType<typeof pathsIn>;

function variables({ grpc, http, api }: Paths) {
  return {
    OTLP_GRPC_HOST: `unix:${grpc}`,
    OTLP_HTTP_HOST: `unix:${http}`,
    API_HOST: `unix:${api}`,
  };
}

async function start(
  paths: Paths,
  env: Record<string, string> = {},
  logger = new RecordingLogger(),
) {
  const server = await runServer({ ...variables(paths), ...env }, logger);
  running.push(server);
  return { ...server, logger };
}

async function exportOverGrpc(path: string) {
  const client = new Client(`unix:${path}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const { code } = await callUnary(client, EXPORT_PATH, requestOf(1));
  client.close();
  return code;
}

async function exportOverHttp(path: string): Promise<number> {
  const headers = { "Content-Type": "application/x-protobuf" };
  const init = { method: "POST", body: requestOf(1), headers, unix: path };
  return (await fetch("http://localhost/v1/traces", init)).status;
}

async function stats({ api }: Paths): Promise<unknown> {
  return await (await fetch("http://localhost/api/stats", { unix: api })).json();
}

test("all listeners work on Unix sockets, with two clients at a time", async () => {
  const paths = pathsIn();
  const { ports, logger } = await start(paths);

  const grpc = await Promise.all([exportOverGrpc(paths.grpc), exportOverGrpc(paths.grpc)]);
  const http = await Promise.all([exportOverHttp(paths.http), exportOverHttp(paths.http)]);

  expect([grpc, http]).toEqual([
    [status.OK, status.OK],
    [200, 200],
  ]);
  expect(await stats(paths)).toMatchObject({ spans: { received: 4, rejected: 0 } });
  expect(ports).toEqual({ grpc: 0, http: 0, api: 0 });
  const listening = logger.lines.filter(({ event }) => event === "listening");
  expect(listening.map(({ fields }) => fields)).toEqual([
    { listener: "api", host: `unix:${paths.api}` },
    { listener: "grpc", host: `unix:${paths.grpc}` },
    { listener: "http", host: `unix:${paths.http}` },
  ]);
});

test("the sockets have the configured mode, and are removed by a stop", async () => {
  const paths = pathsIn();
  const server = await start(paths, { UNIX_SOCKET_MODE: "600" });

  const modes = Object.values(paths).map((path) => statSync(path).mode & 0o777);
  await server.stop(0);

  expect(modes).toEqual([0o600, 0o600, 0o600]);
  expect(Object.values(paths).filter((path) => existsSync(path))).toEqual([]);
});

test("a stop keeps the sockets of programs that have taken the paths over", async () => {
  const paths = pathsIn();
  const server = await start(paths);
  const others = await Promise.all(Object.values(paths).map(takeOver));

  await server.stop(0);

  const answers = await Promise.all(Object.values(paths).map(answerAt));
  for (const other of others) other.close();
  expect(answers).toEqual(["another", "another", "another"]);
});

async function takeOver(path: string): Promise<Server> {
  unlinkSync(path);
  const other = createServer((socket) => socket.end("another"));
  await once(other.listen({ path }), "listening");
  return other;
}

async function answerAt(path: string): Promise<string> {
  const [answer] = (await once(connect(path), "data")) as [Buffer];
  return answer.toString();
}

test("the limit of connections by address holds for all peers of a socket together", async () => {
  const paths = pathsIn();
  const { problems } = await start(paths, { MAX_CONNECTIONS_PER_ADDRESS: "1" });
  const first = connect(paths.grpc).resume();
  await new Promise((resolve) => first.once("connect", resolve));

  const second = connect(paths.grpc).resume();
  // It makes room for the second one, because it has sent nothing.
  await new Promise((resolve) => first.once("close", resolve));
  second.destroy();

  const counted = problems().filter(({ count }) => count > 0);
  expect(counted).toMatchObject([{ reason: "too_many_connections_per_address", count: 1 }]);
});

test("a hint names the socket instead of a port", async () => {
  const paths = pathsIn();
  await start(paths);

  const answer = await fetch("http://localhost/v1/traces", {
    method: "POST",
    unix: paths.api,
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });

  expect(await answer.json()).toMatchObject({
    detail: expect.stringContaining(`OTLP/HTTP at unix:${paths.http}`),
  });
});

describe("a start and --check refuse", () => {
  const cases = [
    {
      name: "a socket that a program answers at",
      prepare: async (paths: Paths) => void (await start(paths)),
      reason: "another program answers at this socket",
      shown: "another program uses it",
    },
    {
      name: "a path that is a file",
      prepare: async ({ api }: Paths) => writeFileSync(api, ""),
      reason: "the path exists, and is not a socket",
      shown: "it is not a socket",
    },
  ];

  test.each(cases)("$name", async ({ prepare, reason, shown }) => {
    const paths = pathsIn();
    await prepare(paths);
    const { API_HOST } = variables(paths);
    const reading = readConfig({ OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_HOST });
    const { config } = reading as Extract<typeof reading, { ok: true }>;
    const logger = new RecordingLogger();

    const { mistakes } = await checkStart({ config, version: "0.0.0" });
    const failure = await runServer({ API_HOST }, logger).catch((error: unknown) => error);

    const bound = `the path of a new socket, or of one at which nothing answers: ${shown}`;
    expect(mistakes).toEqual([{ variable: "API_HOST", value: API_HOST, bound }]);
    expect(failure).toBeInstanceOf(CannotStartError);
    expect(logger.lines).toMatchObject([
      {
        event: "cannot_listen",
        fields: {
          listener: "api",
          host: API_HOST,
          reason,
          hint: "set API_HOST to another path, or to a host",
        },
      },
    ]);
  });
});

async function lookup(): Promise<never> {
  throw new Error("a lookup");
}

describe("forwarding to a Unix socket", () => {
  test.each([
    { protocol: "", listener: "grpc" },
    { protocol: "http/protobuf", listener: "http" },
  ] as const)("works with FORWARD_PROTOCOL=$protocol", async ({ protocol, listener }) => {
    const [paths, upstream] = [pathsIn(), pathsIn()];
    const FORWARD_ENDPOINT = `unix:${upstream[listener]}`;
    const forwarding = { FORWARD_ENDPOINT, FORWARD_PROTOCOL: protocol, FORWARD_MAX_DELAY_MS: "0" };
    const retries = { FORWARD_RETRY_INITIAL_MS: "10", FORWARD_RETRY_MAX_MS: "10" };
    const edge = await start(paths, { ...forwarding, ...retries });

    await exportOverHttp(paths.http);
    while (!edge.logger.lines.some(({ event }) => event === "forward_backing_off"))
      await Bun.sleep(1);
    const { buffer } = await start(upstream);
    while (edge.buffer.stats().spans.delivered === 0) await Bun.sleep(1);

    expect(buffer.stats().spans).toMatchObject({ accepted: 1 });
    expect(edge.buffer.stats().spans).toMatchObject({ buffered: 0, undeliverable: 0 });
    expect(edge.logger.lines).toContainEqual(
      expect.objectContaining({ event: "forwarding", fields: { endpoint: FORWARD_ENDPOINT } }),
    );
  });

  test("is refused if a listener is at that socket, for spans would loop", () => {
    const reading = readConfig({
      OTLP_GRPC_HOST: "unix:/run/otlp.sock",
      FORWARD_ENDPOINT: "unix:/run/otlp.sock",
    });

    expect(reading).toMatchObject({
      ok: false,
      mistakes: [
        {
          variable: "FORWARD_ENDPOINT",
          value: "unix:/run/otlp.sock",
          bound: "somewhere else: OTLP_GRPC_PORT listens there, so spans would loop",
        },
      ],
    });
  });

  test("is not affected by a proxy, and --check looks up no host", async () => {
    const reading = readConfig({
      OTLP_GRPC_PORT: "off",
      OTLP_HTTP_PORT: "off",
      API_HOST: "127.0.0.1",
      API_PORT: "0",
      FORWARD_ENDPOINT: "unix:/run/otlp.sock",
      http_proxy: "socks5://proxy.example",
    });
    const { config } = reading as Extract<typeof reading, { ok: true }>;

    const checked = await checkStart({ config, version: "0.0.0", lookup });

    expect(checked).toEqual({ mistakes: [], warnings: [] });
  });
});
