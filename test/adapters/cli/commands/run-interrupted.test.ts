import { join } from "node:path";
import { expect, test } from "bun:test";
import type { StartReceiver } from "../../../../src/adapters/cli/command/command-run.ts";
import type { TextStream } from "../../../../src/adapters/cli/output/text-stream.ts";
import { fakeReceiver } from "../../../support/fakes/fake-receiver.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { searchedRing } from "../../../support/running/searched-ring.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

// Goal: a signal ends a run although nobody reads its report.
// Method: a fake of a full pipe: a write aside waits for its signal, and others are recorded.

function fullPipe() {
  const blockingWrites: unknown[] = [];
  const writing = Promise.withResolvers<string>();
  const stream: TextStream = {
    isTerminal: false,
    columns: 80,
    write: (text) => blockingWrites.push(text) > 0,
    writeAside: async (text, signal) => {
      const { promise: aborted, resolve: abort } = Promise.withResolvers<void>();
      signal?.addEventListener("abort", () => abort());
      writing.resolve(text);
      await aborted;
      return false;
    },
  };
  return { stream, blockingWrites, writing: writing.promise };
}

interface Surroundings {
  readonly stderr: TextStream;
  readonly stopped: () => Promise<unknown>;
  readonly isGithub?: boolean;
}

/** Runs a command that does nothing beside a receiver of two spans. */
async function run(options: readonly string[], { isGithub = false, ...given }: Surroundings) {
  const { buffer, arrivals, arrive } = searchedRing({ spans: 10, bytes: 1 << 16 });
  arrive(requestOf(2));
  const startReceiver: StartReceiver = async () => fakeReceiver({ buffer, arrivals });
  const env = { PATH: process.env["PATH"], GITHUB_ACTIONS: String(isGithub) };
  return await runCommands(["run", ...options, "--", "true"], { env, startReceiver, ...given });
}

test("a signal ends a run that cannot print its report", async () => {
  const { stream: stderr, blockingWrites, writing } = fullPipe();
  const out = join(temporaryFolder(), "spans.jsonl");
  const options = ["--show", "--out", out, "--expect", "name=no", "--settle", "1ms"];

  const { exitCode } = await run(options, { stderr, stopped: () => writing, isGithub: true });

  expect({ exitCode, blockingWrites }).toEqual({ exitCode: 1, blockingWrites: [] });
  const report = await writing;
  expect(report).toMatch(/^trace /m);
  expect(report).toContain(out);
  expect(report).toContain("expected name=no");
  expect(report).toMatch(/^::error /m);
});

test("a signal that has ended the wait for spans does not end the report", async () => {
  const abortable: boolean[] = [];
  const written = writtenText();
  const writeAside: TextStream["writeAside"] = async (text, signal) => {
    abortable.push(signal !== undefined);
    return written.write(text);
  };
  const stderr = { ...written, writeAside };

  const options = ["--expect", "name=no", "--settle", "10m"];
  const { exitCode } = await run(options, { stderr, stopped: () => Promise.resolve() });

  expect({ exitCode, abortable }).toEqual({ exitCode: 1, abortable: [false] });
  expect(written.text()).toContain("expected name=no");
});

test("on a terminal, a command that exits with 130 by itself adds no line for a ^C", async () => {
  const { buffer, arrivals } = searchedRing({ spans: 10, bytes: 1 << 16 });

  const { stderr } = await runCommands(["run", "--", "sh", "-c", "exit 130"], {
    env: { PATH: process.env["PATH"], NO_COLOR: "1" },
    startReceiver: async () => fakeReceiver({ buffer, arrivals }),
    columns: 80,
  });

  expect(stderr).not.toStartWith("\n");
});
