import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashLine } from "../../../../src/adapters/listening/token-list.ts";
import { noSpans, threeSpans } from "../../../support/fakes/api-answers.ts";
import {
  problem,
  startFakeServer,
  stopFakeServersAfterEach,
} from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { makeCertificates } from "../../../support/upstreams/certificates.ts";

stopFakeServersAfterEach();

const folder = temporaryFolder();

function fileOf(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const SPANS = fileOf("spans.jsonl", '{"resourceSpans":[]}\n');

/** One call of each command that connects to a server. */
const COMMANDS = [
  ["get"],
  ["traces"],
  ["wait"],
  ["take"],
  ["stats"],
  ["clear"],
  ["tail"],
  ["send", SPANS],
];

const refuse = () => new Response("", { status: 401 });

async function authorizationsOf(argv: readonly string[], env: Record<string, string> = {}) {
  const { requests } = await runAgainstFake(argv, refuse, { env });
  return new Set(requests.map(({ headers }) => headers.get("authorization")));
}

describe.each(COMMANDS)("%s", (...command) => {
  test("sends the token of its file", async () => {
    const file = fileOf("token", "# of CI\n\n one \nsecond\n");

    expect(await authorizationsOf([...command, "--token-file", file])).toEqual(
      new Set(["Bearer one"]),
    );
  });

  test("sends SPANRING_TOKEN, unless a file is given", async () => {
    const env = { SPANRING_TOKEN: "two" };
    const file = fileOf("token", "one\n");

    expect(await authorizationsOf(command, env)).toEqual(new Set(["Bearer two"]));
    expect(await authorizationsOf([...command, "--token-file", file], env)).toEqual(
      new Set(["Bearer one"]),
    );
  });

  test("sends no token without one", async () => {
    expect(await authorizationsOf(command)).toEqual(new Set([null]));
    expect(await authorizationsOf(command, { SPANRING_TOKEN: "" })).toEqual(new Set([null]));
  });

  test("says after 401 which option to set", async () => {
    const detail = "a token is required\u001b[2J";
    const { exitCode, stderr } = await runAgainstFake(command, () => problem(401, { detail }));

    expect(exitCode).toBe(3);
    expect(stderr).toContain("a token is required\\x1b[2J");
    expect(stderr).toEndWith(
      "\nSet --token-file FILE or SPANRING_TOKEN to a token that it accepts.\n",
    );
  });
});

test("a 401 of another server names the same options", async () => {
  const { stderr, url } = await runAgainstFake(["get"], refuse);

  expect(stderr).toBe(
    `spanring: ${url}/api/spans?order=newest answered 401: Unauthorized\n` +
      "Set --token-file FILE or SPANRING_TOKEN to a token that it accepts.\n",
  );
});

test("send stops at the first 401, and reports what it has not sent", async () => {
  const lines = '{"resourceSpans":[]}\n'.repeat(100);
  const { requests, stderr } = await runAgainstFake(["send", fileOf("many.jsonl", lines)], refuse);

  expect(requests.length).toBeLessThan(10);
  expect(stderr).toContain("answered 401: Unauthorized; the rest was not sent");
});

test("a token is not sent to another host after a redirect", async () => {
  const other = startFakeServer(noSpans);
  const redirect = () => Response.redirect(`${other.url}/api/spans`, 302);
  await runAgainstFake(["get"], redirect, { env: { SPANRING_TOKEN: "one" } });

  expect(other.requests.map(({ headers }) => headers.get("authorization"))).toEqual([null]);
});

const MISSING = join(folder, "missing");

test.each([
  {
    name: "a missing file",
    argv: ["--token-file", MISSING],
    message: `--token-file "${MISSING}" cannot be read: no such file or folder`,
  },
  {
    name: "an empty file",
    argv: ["--token-file", fileOf("empty", "# nothing\n")],
    message: "begins with no token: it must hold the token",
  },
  {
    name: "a file of hashes",
    argv: ["--token-file", fileOf("hashes", hashLine("one"))],
    message: "begins with the hash of a token: it must hold the token",
  },
  {
    name: "a file that is no token",
    argv: ["--token-file", fileOf("words", "hunter2 hunter2")],
    message: "begins with no token",
  },
  {
    name: "a variable with a hash",
    env: `sha256:${"0".repeat(64)}`,
    message: "SPANRING_TOKEN must be one",
  },
  { name: "a variable with a line end", env: "hunter2\n", message: "SPANRING_TOKEN must be one" },
  {
    name: "missing authorities",
    argv: ["--ca", MISSING],
    message: `--ca "${MISSING}" cannot be read: no such file or folder`,
  },
  {
    name: "authorities that are none",
    argv: ["--ca", fileOf("ca.pem", "hunter2")],
    message: "must be a file of certificates in PEM",
  },
  {
    name: "a key in place of authorities",
    argv: ["--ca", fileOf("ca-key.pem", makeCertificates().server.key)],
    message: "must be a file of certificates in PEM",
  },
])("$name is a mistake, and nothing is sent", async ({ argv = [], env = "", message }) => {
  const end = await runAgainstFake(["get", ...argv], threeSpans, {
    env: { SPANRING_TOKEN: env },
  });

  expect({ exitCode: end.exitCode, requests: end.requests }).toEqual({ exitCode: 2, requests: [] });
  expect(end.stderr).toContain(message);
  expect(end.stderr).not.toContain("hunter2");
});

const noLines = () => new Response("", { headers: { "Content-Type": "application/x-ndjson" } });

describe("over TLS", () => {
  const { authority, server: certificate } = makeCertificates();
  const ca = fileOf("authority.pem", authority.cert);

  async function runOverTls(argv: readonly string[]) {
    const { cert, key } = certificate;
    const tls = { cert, key };
    await using server = Bun.serve({ port: 0, hostname: "127.0.0.1", tls, fetch: noLines });
    return await runCommands([...argv, "--url", `https://127.0.0.1:${server.port}`]);
  }

  test("a server of another authority is trusted with --ca only", async () => {
    const [without, trusted] = [await runOverTls(["get"]), await runOverTls(["get", "--ca", ca])];

    expect({ exitCode: without.exitCode, advice: without.stderr.split("\n")[1] }).toEqual({
      exitCode: 3,
      advice: "Set --ca FILE to the certificates of its authority.",
    });
    expect(trusted).toMatchObject({ exitCode: 1, stderr: "spanring: no span is buffered\n" });
  });
});
