import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { startUpstream } from "../support/upstreams/running-upstream.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: only the upstream learns the values of headers. Method: the upstream receives them and
// fails in every way that is reported; then all output of the program is searched for them.

const SECRET = "hunter2";
const SECRET_OF_FILE = "correct-horse";

const PATHS = ["/api/stats", "/api/services", "/metrics", "/readyz", "/api/spans"];

test.each([
  { protocol: "grpc", unavailable: 14, unauthenticated: 16 },
  { protocol: "http", unavailable: 503, unauthenticated: 401 },
] as const)("over $protocol only the upstream learns the values of headers", async (given) => {
  await using upstream = await startUpstream(given.protocol);
  const file = join(temporaryFolder(), "headers");
  writeFileSync(file, `x-tenant=${SECRET_OF_FILE}\n`);
  const settings = {
    FORWARD_ENDPOINT: upstream.endpoint,
    FORWARD_HEADERS: `authorization=Bearer%20${SECRET}`,
    FORWARD_HEADERS_FILE: file,
    FORWARD_MAX_DELAY_MS: "0",
    FORWARD_RETRY_INITIAL_MS: "1",
    FORWARD_RETRY_MAX_MS: "1",
    SHUTDOWN_GRACE_MS: "0",
    LOG_LEVEL: "DEBUG",
    // The library would log headers if the program allowed it.
    GRPC_TRACE: "all",
    GRPC_VERBOSITY: "DEBUG",
  };
  await using program = await startProgram(settings);

  await upstream.order({ next: [{ kind: "fail", code: given.unavailable }] });
  await send(program);
  await program.logged("forward_connected");
  const refusal = { kind: "fail", code: given.unauthenticated } as const;
  await upstream.order({ next: [refusal, refusal] });
  await send(program);
  await program.logged("forward_blocked");
  const { authorization } = await upstream.order({});
  await upstream.kill();
  await send(program);
  const answers = await Promise.all(PATHS.map((path) => fetch(program.apiUrl + path)));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  const check = await runProgram(["--check"], settings);
  await program.stop();

  expect(authorization).toBe(`Bearer ${SECRET}`);
  expect(answers.map(({ status }) => status)).toEqual(PATHS.map(() => 200));
  expect(check.exitCode).toBe(0);
  const all = [...texts, check.stdout, check.stderr, JSON.stringify(program.log())].join("\n");
  expect(all).toContain("forward_backing_off");
  expect(all).not.toContain(SECRET);
  expect(all).not.toContain(SECRET_OF_FILE);
});

async function send({ grpcPort }: RunningProgram): Promise<void> {
  using client = openExportClient(grpcPort);
  await client.export(requestOf(2));
}
