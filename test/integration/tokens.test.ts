import { chmodSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH, openGrpcClient } from "../support/grpc/grpc-call.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  FREE_PORTS,
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { createdToken as created, secretFile as fileOf } from "../support/running/token-files.ts";

const LOG_LEVEL = "DEBUG";

async function codeOver(program: RunningProgram, metadata: Record<string, string>) {
  const client = openGrpcClient(program.grpcPort);
  const { code } = await callUnary(client, EXPORT_PATH, requestOf(1), { metadata });
  client.close();
  return code;
}

async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const isExport = url.endsWith("/v1/traces");
  const type = { "Content-Type": "application/x-protobuf" };
  const init = isExport
    ? { method: "POST", body: requestOf(1), headers: { ...type, ...headers } }
    : { headers };
  return (await fetch(url, init)).status;
}

test("with the tokens that the program created, each port accepts its own only", async () => {
  const [sender, reader] = [await created(), await created()];
  await using program = await startProgram({
    OTLP_AUTH_TOKENS_FILE: fileOf("senders", `# of the shop\n${sender.line}\n`),
    API_AUTH_TOKENS_FILE: fileOf("readers", `other\n${reader.line}\n`),
  });
  const keys = [{}, { "x-api-key": reader.token }, { "x-api-key": sender.token }];

  const grpc = await Promise.all(keys.map((key) => codeOver(program, key)));
  const http = await Promise.all(keys.map((key) => statusOf(`${program.httpUrl}/v1/traces`, key)));
  const api = await Promise.all(keys.map((key) => statusOf(`${program.apiUrl}/api/spans`, key)));

  const { UNAUTHENTICATED, OK } = status;
  expect({ grpc, http, api }).toEqual({
    grpc: [UNAUTHENTICATED, UNAUTHENTICATED, OK],
    http: [401, 401, 200],
    api: [401, 200, 401],
  });
  expect(await statusOf(`${program.apiUrl}/healthz`, {})).toBe(200);
  expect(await statusOf(`${program.apiUrl}/readyz`, {})).toBe(200);
  expect(await statusOf(`${program.apiUrl}/metrics`, {})).toBe(401);
});

test("commands read and send with a token, and say what to set without one", async () => {
  const { token, line } = await created();
  const file = fileOf("tokens", line);
  const own = fileOf("own", `${token}\n`);
  const env = { OTLP_AUTH_TOKENS_FILE: file, API_AUTH_TOKENS_FILE: file };
  await using program = await startProgram(env);
  const spans = fileOf("spans.binpb", "");
  writeFileSync(spans, requestOf(2));
  const to = ["--to", program.httpUrl];
  const from = ["--url", program.apiUrl];

  const refusedSend = await runProgram(["send", ...to, spans]);
  const refusedGet = await runProgram(["get", ...from]);
  const sent = await runProgram(["send", ...to, "--token-file", own, spans]);
  const found = await runProgram(["get", ...from], { SPANRING_TOKEN: token });

  const advice = "Set --token-file FILE or SPANRING_TOKEN to a token that it accepts.\n";
  expect([refusedSend.exitCode, refusedGet.exitCode]).toEqual([3, 3]);
  expect([refusedSend.stderr, refusedGet.stderr].map((text) => text.endsWith(advice))).toEqual([
    true,
    true,
  ]);
  expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
  expect(found.stdout.trimEnd().split("\n").length).toBe(2);
});

test("SIGHUP replaces the tokens on open connections, unless the file has a mistake", async () => {
  const file = fileOf("senders", "one\n");
  await using program = await startProgram({ OTLP_AUTH_TOKENS_FILE: file }, { detached: true });
  const client = openGrpcClient(program.grpcPort);
  const codeWith = async (token: string) => {
    const metadata = { authorization: `Bearer ${token}` };
    return (await callUnary(client, EXPORT_PATH, requestOf(1), { metadata })).code;
  };

  const before = [await codeWith("one"), await codeWith("two")];
  writeFileSync(file, "two\n");
  process.kill(program.pid, "SIGHUP");
  await program.logged("reloaded");
  const after = [await codeWith("one"), await codeWith("two")];
  writeFileSync(file, "no token\n");
  process.kill(program.pid, "SIGHUP");
  await program.logged("not_reloaded");
  const kept = await codeWith("two");
  const { problems } = (await (await fetch(`${program.apiUrl}/api/problems`)).json()) as {
    problems: unknown;
  };
  client.close();

  const { OK, UNAUTHENTICATED } = status;
  expect({ before, after, kept }).toEqual({
    before: [OK, UNAUTHENTICATED],
    after: [UNAUTHENTICATED, OK],
    kept: OK,
  });
  expect(problems).toMatchObject([
    { protocol: "grpc", reason: "unauthenticated", address: "127.0.0.1", count: 2 },
  ]);
});

test("refusals are in the metrics, in stats, and in one line of the log a second", async () => {
  await using program = await startProgram({ OTLP_AUTH_TOKENS_FILE: fileOf("senders", "one") });
  const url = `${program.httpUrl}/v1/traces`;
  for (let time = 0; time < 5; time += 1) await statusOf(url, {});

  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const { stdout } = await runProgram(["stats", "--url", program.apiUrl]);
  await program.stop();
  const lines = program.log().filter(({ event }) => event === "problem");

  expect(metrics).toContain(
    '\nspanring_problems_total{protocol="http",reason="unauthenticated"} 5\n',
  );
  expect(JSON.parse(stdout)).toMatchObject({
    problems: [
      {
        reason: "unauthenticated",
        count: 5,
        detail: "without a token",
        hint: expect.stringContaining("OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20"),
      },
    ],
  });
  expect(lines.length).toBeLessThan(5);
  expect(lines.reduce((sum, { count }) => sum + Number(count), 0)).toBe(5);
});

test("tokens, right or wrong, are written nowhere", async () => {
  const [right, wrong] = ["right-hunter2", "wrong-hunter2"];
  const file = fileOf("tokens", `${right}\n`);
  const env = { OTLP_AUTH_TOKENS_FILE: file, API_AUTH_TOKENS_FILE: file, LOG_LEVEL };
  await using program = await startProgram(env, { detached: true });
  const said: string[] = [];
  for (const authorization of [`Bearer ${wrong}`, `Basic ${wrong}`, `Bearer ${right}`]) {
    for (const path of ["/api/problems", "/api/stats", "/metrics", "/readyz", "/no/such/path"]) {
      said.push(await (await fetch(program.apiUrl + path, { headers: { authorization } })).text());
    }
    await codeOver(program, { authorization });
    await statusOf(`${program.httpUrl}/v1/traces`, { authorization });
  }
  said.push(
    Bun.inspect(await runProgram(["get", "--url", program.apiUrl], { SPANRING_TOKEN: wrong })),
  );
  writeFileSync(file, `${right} ${wrong}\n`);
  process.kill(program.pid, "SIGHUP");
  await program.logged("cannot_reload");
  await program.stop();
  said.push(Bun.inspect(await runProgram([], { ...FREE_PORTS, ...env })));
  said.push(Bun.inspect(await runProgram(["--check"], { ...FREE_PORTS, ...env })));

  expect([...said, JSON.stringify(program.log())].join("\n")).not.toContain("hunter2");
});

describe("a start", () => {
  test.each([
    { argv: [], exitCode: 1 },
    { argv: ["--check"], exitCode: 2 },
  ])("with a file without tokens fails, and says why: %j", async ({ argv, exitCode }) => {
    const file = fileOf("readers", "# none yet\n");
    const end = await runProgram([...argv], { ...FREE_PORTS, API_AUTH_TOKENS_FILE: file });

    expect(end.exitCode).toBe(exitCode);
    expect(end.stderr).toContain("API_AUTH_TOKENS_FILE");
    expect(end.stderr).toContain(file);
    expect(end.stderr).toContain("a file with at least one token");
  });

  test.each([{ argv: [] }, { argv: ["--check"] }])(
    "with a read API that everyone can reach names three ways out: %j",
    async ({ argv }) => {
      const { exitCode, stderr } = await runProgram([...argv], {
        ...FREE_PORTS,
        API_HOST: "0.0.0.0",
      });

      expect(exitCode).toBe(2);
      expect(stderr).toContain('API_HOST="0.0.0.0": must be a loopback address such as 127.0.0.1');
      expect(stderr).toContain("API_AUTH_TOKENS_FILE");
      expect(stderr).toContain("API_INSECURE=true");
    },
  );

  test("warns once of OTLP ports that everyone can reach", async () => {
    await using program = await startProgram({ OTLP_GRPC_HOST: "0.0.0.0", OTLP_HTTP_HOST: "::" });
    await program.stop();

    expect(program.log().filter(({ level }) => level === "WARNING")).toMatchObject([
      { event: "configuration", variable: "OTLP_GRPC_HOST" },
    ]);
  });

  test("warns of plain tokens that other users can read", async () => {
    const file = fileOf("senders", "one\n");
    chmodSync(file, 0o644);
    await using program = await startProgram({ OTLP_AUTH_TOKENS_FILE: file });
    await program.stop();

    expect(program.log().filter(({ level }) => level === "WARNING")).toMatchObject([
      { event: "configuration", variable: "OTLP_AUTH_TOKENS_FILE" },
    ]);
  });
});
