import { chmodSync, chownSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import {
  hardened,
  isHardeningPossible,
  NOBODY,
  stateFolder,
} from "../support/running/hardened-unit.ts";
import { runProgram, startProgram } from "../support/running/running-program.ts";
import { unusedUrl } from "../support/fakes/fake-api.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import { notRun } from "../support/running/not-run.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the program needs nothing that a hardened unit takes away. Method: it runs as another user,
// with a read-only root file system, without capabilities and new privileges, and without the
// system calls that `SystemCallFilter=@system-service` forbids.

/** Empty on machines where the test cannot take away privileges. */
const UNITS = isHardeningPossible() ? ["a hardened unit"] : [];

if (UNITS.length === 0) {
  notRun(4, "hardening needs root, unshare and setpriv");
}

async function startHardened(folder: string, env: Environment = {}) {
  return await startProgram(env, { launcher: hardened(folder) });
}

function statusOf(pid: number, field: string): string {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return new RegExp(`^${field}:[ \\t]*(.*)$`, "m").exec(status)?.[1] ?? "";
}

describe.each(UNITS)("in %s", () => {
  test("the program has no privilege, and cannot write outside of its folder", async () => {
    const folder = stateFolder();
    await using program = await startHardened(folder);
    const mounts = readFileSync(`/proc/${program.pid}/mounts`, "utf8").split("\n");
    const root = mounts.findLast((line) => line.split(" ")[1] === "/")!;
    const fields = ["Uid", "Gid", "Groups", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
    const status = fields.map((field) => statusOf(program.pid, field).replaceAll("\t", " ").trim());

    const none = "0".repeat(16);
    const user = Array(4).fill(NOBODY).join(" ");
    expect(status).toEqual([user, user, "", none, none, none, none]);
    expect(statusOf(program.pid, "NoNewPrivs")).toBe("1");
    expect(statusOf(program.pid, "Seccomp")).toBe("2");
    expect(root.split(" ")[3]!.split(",")).toContain("ro");
  });

  test("it receives, answers, and saves its spans from one start to the next", async () => {
    const folder = stateFolder();
    const env = { DATA_DIR: join(folder, "data") };
    await using first = await startHardened(folder, env);
    using client = openExportClient(first.grpcPort);
    await client.export(requestOf(2));
    await exportOverHttp(first.httpUrl, requestOf(3));
    const exitCode = await first.stop();
    await using second = await startHardened(folder, env);
    const stats = await readApiClient(second.apiUrl).stats();
    await second.stop();

    const lines = [...first.log(), ...second.log()];
    expect({ exitCode, spans: stats.spans }).toMatchObject({ exitCode: 0, spans: { buffered: 5 } });
    expect(lines.filter(({ level }) => level !== "INFO")).toEqual([]);
  });

  test("it reads tokens that only it can read, and forwards into files", async () => {
    const folder = stateFolder();
    const tokens = join(folder, "tokens");
    writeFileSync(tokens, "one\n");
    chmodSync(tokens, 0o400);
    chownSync(tokens, NOBODY, NOBODY);
    await using program = await startHardened(folder, {
      API_AUTH_TOKENS_FILE: tokens,
      FORWARD_ENDPOINT: `file://${join(folder, "spans.jsonl")}`,
      FORWARD_MAX_DELAY_MS: "0",
    });
    await exportOverHttp(program.httpUrl, requestOf(3));
    const [refused, accepted] = await Promise.all(
      [{}, { "x-api-key": "one" }].map((headers) =>
        fetch(`${program.apiUrl}/api/stats`, { headers }),
      ),
    );
    await program.stop();

    expect([refused!.status, accepted!.status]).toEqual([401, 200]);
    expect(readFileSync(join(folder, "spans.jsonl"), "utf8")).toContain('"resourceSpans"');
    expect(program.log().filter(({ level }) => level !== "INFO")).toMatchObject([
      { event: "problem", reason: "unauthenticated" },
    ]);
  });

  test("a program that makes a forbidden system call is ended, so the others make none", () => {
    const ended = Bun.spawnSync([...hardened(stateFolder()), "unshare", "--user", "true"]);

    expect(ended.signalCode).toBe("SIGSYS");
  });
});

const ANALYZE = Bun.which("systemd-analyze");
const ANALYZERS = ANALYZE === null ? [] : [ANALYZE];

if (ANALYZERS.length === 0) {
  notRun(1, "systemd-analyze is missing");
}

const UNIT = join(import.meta.dir, "../../scripts/release/linux/spanring.service");

test.each(ANALYZERS)("%s finds the packaged unit well protected", (analyze) => {
  // From 0 to 100: up to 20 is what it calls OK or safe.
  const argv = [analyze, "security", "--offline=true", "--no-pager", "--threshold=20", UNIT];
  const { exitCode, stdout, stderr } = Bun.spawnSync(argv);

  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.toString()).toContain("Overall exposure level for spanring.service");
});

const noLines = () => new Response("", { headers: { "Content-Type": "application/x-ndjson" } });

// Goal: SECURITY.md says what variables of the runtime do to the executable. A unit unsets them.
describe("a variable of the runtime", () => {
  const folder = temporaryFolder();
  const injected = join(folder, "injected.ts");
  writeFileSync(injected, 'console.log("injected");\n');

  test.each<{ name: string; env: Environment; argv: string[]; stdout: string }>([
    {
      name: "BUN_BE_BUN runs any code",
      env: { BUN_BE_BUN: "1" },
      argv: ["-e", 'console.log("injected")'],
      stdout: "injected\n",
    },
    {
      name: "BUN_OPTIONS loads any file first",
      env: { BUN_OPTIONS: `--preload ${injected}` },
      argv: ["--version"],
      stdout: "injected\nspanring 0.1.0\n",
    },
    {
      name: "NODE_OPTIONS does nothing",
      env: { NODE_OPTIONS: `--require ${injected}` },
      argv: ["--version"],
      stdout: "spanring 0.1.0\n",
    },
  ])("$name", async ({ env, argv, stdout }) => {
    expect((await runProgram(argv, env)).stdout).toBe(stdout);
  });

  test("BUN_INSPECT opens a port for debuggers", async () => {
    const { host } = new URL(await unusedUrl());
    await using program = await startProgram({ BUN_INSPECT: `ws://${host}/debug` });
    const client = new WebSocket(`ws://${host}/debug`);
    const { promise, resolve } = Promise.withResolvers<string>();
    client.addEventListener("open", () => resolve("open"));
    client.addEventListener("error", () => resolve("closed"));

    expect(await promise).toBe("open");
    client.close();
    await program.stop();
  });

  test("NODE_EXTRA_CA_CERTS and NODE_TLS_REJECT_UNAUTHORIZED make servers trusted", async () => {
    const { authority, server: tls } = makeCertificates();
    const file = join(folder, "authority.pem");
    writeFileSync(file, authority.cert);
    await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: noLines });
    const argv = ["get", "--url", `https://127.0.0.1:${server.port}`];

    const ends = await Promise.all([
      runProgram(argv),
      runProgram(argv, { NODE_EXTRA_CA_CERTS: file }),
      runProgram(argv, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }),
    ]);

    // No span is found, but only at a server that is trusted.
    expect(ends.map(({ exitCode }) => exitCode)).toEqual([3, 1, 1]);
  });
});
