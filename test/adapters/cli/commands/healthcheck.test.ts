import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  startFakeServer,
  stopFakeServersAfterEach,
  unusedUrl,
} from "../../../support/fakes/fake-api.ts";
import { DrivenClock } from "../../../support/fakes/driven-clock.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

stopFakeServersAfterEach();

const alive = () => Response.json({ status: "alive" });
const ready = () => Response.json({ status: "ready" });

test("a ready receiver is reported with its status and exit code 0", async () => {
  const end = await runAgainstFake(["healthcheck"], ready);

  const requestLines = ["GET /readyz"];
  expect(end).toMatchObject({ exitCode: 0, stdout: "ready\n", stderr: "", requestLines });
});

test("with --alive, it asks for life", async () => {
  const end = await runAgainstFake(["healthcheck", "--alive"], alive);

  expect(end).toMatchObject({ exitCode: 0, stdout: "alive\n", requestLines: ["GET /healthz"] });
});

test.each([
  {
    name: "a receiver that is stopping",
    answer: () => Response.json({ status: "stopping" }, { status: 503 }),
    message: " is not ready: stopping\n",
  },
  {
    name: "a server that is not spanring",
    answer: () => new Response("<html>"),
    message: "/readyz is not a response of spanring's read API\n",
  },
])("$name has the exit code 1", async ({ answer, message }) => {
  const end = await runAgainstFake(["healthcheck"], answer);

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toContain(message);
});

test("a port where nothing listens has the exit code 1", async () => {
  const end = await runCommands(["healthcheck", "--url", await unusedUrl()]);

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toContain("cannot connect to http://127.0.0.1:");
});

test.each([
  { name: "no response", answer: () => new Promise<Response>(() => {}) },
  { name: "half a response", answer: () => new Response(endlessly()) },
])("$name within three seconds has the exit code 1", async ({ answer }) => {
  const clock = new DrivenClock();
  const arrived = Promise.withResolvers<void>();
  const ending = runAgainstFake(
    ["healthcheck"],
    () => {
      arrived.resolve();
      return answer();
    },
    { clock },
  );
  await arrived.promise;

  clock.moveMs(3_000);

  const { exitCode, stderr } = await ending;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 1 });
  expect(stderr).toContain("has not responded within 3 s");
});

function endlessly(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (body) => body.enqueue(Buffer.from('{"status":')) });
}

test("the token of the caller is sent to the URL that the caller names", async () => {
  const { url, requests } = startFakeServer(ready);
  const env = { SPANRING_URL: url, SPANRING_TOKEN: "one" };

  const end = await runCommands(["healthcheck"], { env });

  expect(end.exitCode).toBe(0);
  expect(requests[0]!.headers.get("authorization")).toBe("Bearer one");
});

test("an invalid command line or URL has the exit code 2", async () => {
  const [operand, url] = await Promise.all([
    runCommands(["healthcheck", "now"]),
    runCommands(["healthcheck", "--url", "buffer"]),
  ]);

  expect([operand.exitCode, url.exitCode]).toEqual([2, 2]);
});

describe("without a URL", () => {
  test.each(["127.0.0.1", "0.0.0.0"])("it asks the port that listens on %s", async (host) => {
    const { url, requests } = startFakeServer(ready);
    const env = { API_HOST: host, API_PORT: new URL(url).port, API_INSECURE: "true" };

    const end = await runCommands(["healthcheck"], { env: { ...env, SPANRING_TOKEN: "one" } });

    expect(end).toMatchObject({ exitCode: 0, stdout: "ready\n" });
    expect(requests[0]!.headers.get("authorization")).toBeNull();
  });

  test("it asks the Unix socket of the environment", async () => {
    const path = join(temporaryFolder(), "api");
    await using server = Bun.serve({ unix: path, fetch: ready });

    const end = await runCommands(["healthcheck"], { env: { API_HOST: `unix:${path}` } });

    expect(server.pendingRequests).toBe(0);
    expect(end).toMatchObject({ exitCode: 0, stdout: "ready\n" });
  });

  test.each([
    { env: { API_PORT: "off" }, reason: "API_PORT is off, so no listener can answer" },
    { env: { API_PORT: "0" }, reason: "API_PORT is 0, so only the log knows the port" },
  ])("$env.API_PORT as the port has the exit code 1", async ({ env, reason }) => {
    const end = await runCommands(["healthcheck"], { env });

    expect(end).toMatchObject({ exitCode: 1, stdout: "" });
    expect(end.stderr).toBe(`spanring: ${reason}; set --url or SPANRING_URL\n`);
  });
});

test("a mistake in another variable does not matter", async () => {
  const { url } = startFakeServer(ready);
  const env = { API_PORT: new URL(url).port, LOG_LEVEL: "loud" };

  const end = await runCommands(["healthcheck"], { env });

  expect(end).toMatchObject({ exitCode: 0, stdout: "ready\n" });
});

test("--ca that cannot be used has the exit code 2", async () => {
  const file = join(temporaryFolder(), "ca.pem");
  writeFileSync(file, "none");

  const end = await runCommands(["healthcheck", "--url", "https://localhost", "--ca", file]);

  expect(end.exitCode).toBe(2);
});
