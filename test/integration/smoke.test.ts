import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the distributed file works by itself.
// Method: a copy of dist/spanring in an empty folder, with an empty environment and no
// `node_modules` above it, receives a span, returns it, and stops at a signal.

const BUILT = join(import.meta.dir, "../../dist/spanring");

const FREE_PORTS = {
  OTLP_GRPC_PORT: "0",
  OTLP_GRPC_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  OTLP_HTTP_HOST: "127.0.0.1",
  API_PORT: "0",
};

/** Copies the executable to a new folder. */
function copyOfExecutable(): { folder: string; path: string } {
  if (!existsSync(BUILT)) throw new Error("dist/spanring does not exist: bun run build");
  const folder = temporaryFolder();
  const path = join(folder, "spanring");
  copyFileSync(BUILT, path);
  return { folder, path };
}

interface LogLine {
  readonly event: string;
  readonly listener?: string;
  readonly port?: number;
}

async function* logLines(stderr: ReadableStream<Uint8Array>): AsyncGenerator<LogLine> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of stderr) {
    const lines = (text + decoder.decode(bytes, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as LogLine;
  }
}

/** Resolves when all listeners have logged their ports, and reads the rest of the log. */
function listeningPorts(stderr: ReadableStream<Uint8Array>): Promise<Map<string, number>> {
  const { promise, resolve, reject } = Promise.withResolvers<Map<string, number>>();
  const ports = new Map<string, number>();
  const read = async (): Promise<void> => {
    for await (const { event, listener, port } of logLines(stderr)) {
      if (event === "listening") ports.set(listener ?? "", port ?? 0);
      if (ports.size === 3) resolve(ports);
    }
    throw new Error("the program ended before it listened");
  };
  read().catch(reject);
  return promise;
}

test("the executable alone receives a span, returns it, and stops at a signal", async () => {
  const { folder, path } = copyOfExecutable();
  await using program = Bun.spawn([path], { cwd: folder, env: FREE_PORTS, stderr: "pipe" });
  const ports = await listeningPorts(program.stderr);
  const api = `http://127.0.0.1:${ports.get("api")}`;
  const sent = requestOf(1);

  const health = await fetch(`${api}/healthz`);
  using client = openExportClient(ports.get("grpc") ?? 0);
  const answer = await client.export(sent);
  const spans = await fetch(`${api}/api/spans`);
  const taken = await fetch(`${api}/api/spans/take`, {
    method: "POST",
    headers: { accept: "application/x-protobuf" },
  });
  const takenBytes = await taken.bytes();
  program.kill("SIGTERM");

  expect(health.status).toBe(200);
  expect(answer).toHaveLength(0);
  expect(JSON.stringify(await spans.json())).toContain('"name":"span 1"');
  expect(Buffer.from(takenBytes).equals(sent)).toBe(true);
  expect(await program.exited).toBe(0);
  expect(readdirSync(folder)).toEqual(["spanring"]);
});

test.each([
  { argument: "--help", start: "spanring " },
  { argument: "--check", start: "OTLP_GRPC_HOST=0.0.0.0\n" },
])("the executable alone answers $argument", ({ argument, start }) => {
  const { folder, path } = copyOfExecutable();

  const done = Bun.spawnSync([path, argument], { cwd: folder, env: {} });

  expect(done.stdout.toString()).toStartWith(start);
  expect(done.stderr.toString()).toBe("");
  expect(done.exitCode).toBe(0);
});

test("the executable alone prints the version of package.json", async () => {
  const { folder, path } = copyOfExecutable();
  const { version } = await Bun.file(join(import.meta.dir, "../../package.json")).json();

  const done = Bun.spawnSync([path, "--version"], { cwd: folder, env: {} });

  expect(done.stdout.toString()).toBe(`spanring ${version}\n`);
});
