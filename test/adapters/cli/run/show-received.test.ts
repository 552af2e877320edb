import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { StartReceiver } from "../../../../src/adapters/cli/command/command-run.ts";
import { fakeReceiver } from "../../../support/fakes/fake-receiver.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { SOME_PARENT, tracedRequests } from "../../../support/requests/traced-requests.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { nextTurn, searchedRing } from "../../../support/running/searched-ring.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };

interface Received {
  /** Requests that arrive before the command starts, and while it starts. */
  readonly before?: readonly Uint8Array[];
  readonly meanwhile?: readonly Uint8Array[];
  readonly spans?: number;
}

/** Runs a command that does nothing beside a receiver of these requests. */
async function run(
  argv: readonly string[],
  { before = [], meanwhile = [], spans = 100 }: Received,
) {
  const { buffer, arrivals, arrive } = searchedRing({ spans, bytes: 1 << 22 });
  const startReceiver: StartReceiver = async () => {
    arrive(...before);
    void nextTurn().then(() => arrive(...meanwhile));
    return fakeReceiver({ buffer, arrivals });
  };
  const command = ["run", ...argv, "--", "sh", "-c", "echo its output; exit 3"];
  return await runCommands(command, { env: ENV, startReceiver, columns: 80 });
}

test("--tail shows every span on standard error as a row, once", async () => {
  const { exitCode, stdout, stderr } = await run(["--tail"], {
    before: [requestOf(2, 1)],
    meanwhile: [requestOf(1_500, 3)],
    spans: 2_000,
  });

  const names = stderr.split("\n").map((line) => /span \d+/.exec(line)?.[0]);
  expect(names.filter((name) => name !== undefined)).toEqual(
    Array.from({ length: 1_502 }, (_, index) => `span ${index + 1}`),
  );
  expect(stderr).toStartWith("TIME ");
  expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: "" });
});

test("--tail reports spans that were evicted before they could be shown", async () => {
  const { stderr } = await run(["--tail"], { before: [requestOf(5)], spans: 2 });

  expect(stderr).toContain("spanring: missed 3 spans\n");
  expect(stderr.match(/span [45] /g)).toHaveLength(2);
});

/** Standard error whose reader takes nothing of the first write until that is given up. */
function stuckStream() {
  const taken = writtenText(false);
  const stuck = Promise.withResolvers<void>();
  const write = async (_text: string, signal?: AbortSignal): Promise<boolean> => {
    stuck.resolve();
    await new Promise((resolve) => signal?.addEventListener("abort", resolve));
    stream.writeAside = async (next) => taken.write(next);
    return false;
  };
  const stream = { ...taken, writeAside: write };
  return { stream, stuck: stuck.promise, text: taken.text };
}

test("Ctrl-C ends a --tail that nobody reads, but neither the files nor the report", async () => {
  const { buffer, arrivals, arrive } = searchedRing({ spans: 100, bytes: 1 << 22 });
  const { stream, stuck, text } = stuckStream();
  const [out, junit] = ["spans.json", "junit.xml"].map((name) => join(temporaryFolder(), name));
  const files = ["--out", out!, "--junit", junit!];
  const command = ["run", "--tail", ...files, "--expect", "name=missing", "--", "true"];
  arrive(requestOf(2));

  const { exitCode } = await runCommands(command, {
    env: ENV,
    startReceiver: async () => fakeReceiver({ buffer, arrivals }),
    stderr: stream,
    stopped: async () => await stuck.then(() => "SIGINT"),
  });

  expect(exitCode).toBe(1);
  expect([existsSync(out!), existsSync(junit!)]).toEqual([true, true]);
  expect(text()).toContain("✗ expected name=missing");
});

test("--show draws the received traces as trees at the end", async () => {
  const before = tracedRequests(
    { trace: 1, name: "GET /" },
    { trace: 1, name: "orphan", parent: SOME_PARENT, service: "till" },
  );

  const { stdout, stderr } = await run(["--show"], { before });

  expect(stderr).toStartWith("spanring: 2 spans received, by service: shop 1, till 1\n\ntrace ab");
  expect(stderr).toMatch(/\n  GET \/ +shop /);
  expect(stderr).toContain("\n! missing parent ");
  expect(stdout).toBe("");
});

test("--show says that no span was received, or that there are more", async () => {
  const none = await run(["--show"], {});
  const many = await run(["--show"], { before: [requestOf(1_001)], spans: 2_000 });

  expect(none.stderr).toBe("spanring: no span was received\n");
  expect(many.stderr).toContain("spanring: these are the traces of the newest 1,000 spans\n");
  expect(many.stderr.match(/^trace /gm)).toHaveLength(1_000);
});
