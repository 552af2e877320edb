import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { type Announcement, announceServer } from "../../../src/adapters/cli/announce-server.ts";
import { type Environment, readConfig } from "../../../src/config/config.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

/** Announces a server; returns what is printed, before and after the output is released. */
async function announced(announcement: Announcement, env: Environment = {}) {
  const reading = readConfig(env);
  const config = reading.ok ? reading.config : reading.rest;
  const printed: string[] = [];
  const output = {
    write: (text: string) => printed.push(text),
    release: () => printed.push("END"),
  };
  const server = { config, ports: { grpc: 1, http: 2, api: 3 } };
  return { printed, withdraw: await announceServer(server, announcement, output) };
}

/** Returns the variables that a shell has after it has read the text. */
function readByShell(text: string): Record<string, string> {
  const { stdout } = Bun.spawnSync(["sh", "-c", 'eval "$1" && env -0', "sh", text], { env: PATH });
  const lines = stdout
    .toString()
    .split("\0")
    .filter((line) => /^(OTEL_|SPANRING_)/.test(line));
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
}

const PATH = { PATH: process.env["PATH"] };

test("a shell reads the printed variables, and the output is released after them", async () => {
  const { printed } = await announced({ printsEnv: true });

  const [text = "", ...rest] = printed;
  expect(rest).toEqual(["END"]);
  expect(readByShell(text)).toMatchObject({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:2",
    OTEL_TRACES_EXPORTER: "otlp",
    SPANRING_URL: "http://127.0.0.1:3",
    SPANRING_PID: String(process.pid),
  });
});

test("a shell reads a path with spaces, quotes and substitutions as it is", async () => {
  const API_HOST = "unix:/run/a b'$(exit 1)`.sock";

  const { printed } = await announced({ printsEnv: true }, { API_HOST });

  expect(readByShell(printed[0] ?? "")["SPANRING_URL"]).toBe(API_HOST);
});

test("the ready file appears, and is removed by the stop; nothing is printed", async () => {
  const readyFile = join(temporaryFolder(), "ready.json");

  const { printed, withdraw } = await announced({ readyFile, printsEnv: false });
  const ready = JSON.parse(readFileSync(readyFile, "utf8")) as object;
  withdraw();

  expect(printed).toEqual([]);
  expect(ready).toMatchObject({ endpoints: { grpc: "http://127.0.0.1:1" } });
  expect(existsSync(readyFile)).toBe(false);
});

test("without options, nothing is announced", async () => {
  const { printed, withdraw } = await announced({ printsEnv: false });
  withdraw();

  expect(printed).toEqual([]);
});
