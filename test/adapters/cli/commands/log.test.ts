import { expect, test } from "bun:test";
import { CannotInspectError } from "../../../../src/adapters/cli/command/command-run.ts";
import type { InspectedLog } from "../../../../src/application/log/inspect-log.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";

const LOG: InspectedLog = {
  segments: [
    {
      name: "spans-000000000001-00000001.v1",
      formatVersion: 1,
      fileBytes: 4_096,
      firstSequence: 1,
      nextSequence: 11,
      spans: 10,
      spanBytes: 2_048,
    },
  ],
  fileBytes: 4_096,
  restored: { spans: 10, bytes: 2_048 },
  damage: [],
  torn: [],
  lostSpans: 0,
  missingSegments: [],
};
const PLACE = { segment: LOG.segments[0]!.name, offsetBytes: 64, bytes: 8 };

const refusing = () => Promise.reject(new CannotInspectError("another process uses it"));
const failing = () => Promise.reject(new TypeError("a fault of the program"));
const inspecting = (found: InspectedLog) => ({ inspectDirectory: () => Promise.resolve(found) });

test("an intact log is a table on a terminal, and JSON in a pipe and with --json", async () => {
  const shown = await runCommands(["log", "data"], { ...inspecting(LOG), columns: 80 });
  const piped = await runCommands(["log", "data"], inspecting(LOG));
  const asked = await runCommands(["log", "--json", "data"], { ...inspecting(LOG), columns: 80 });

  expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
  expect(shown.stdout).toStartWith("FILE ");
  expect(piped).toMatchObject({ exitCode: 0, stdout: `${JSON.stringify(LOG)}\n`, stderr: "" });
  expect(asked.stdout).toBe(piped.stdout);
});

test("the directory on the command line is inspected", async () => {
  const paths: string[] = [];
  const inspectDirectory = (path: string) => {
    paths.push(path);
    return Promise.resolve(LOG);
  };

  await runCommands(["log", "some/where"], { inspectDirectory });

  expect(paths).toEqual(["some/where"]);
});

test.each([{ damage: [PLACE] }, { lostSpans: 1 }, { missingSegments: [3] }])(
  "%j is listed, with exit code 1",
  async (fault) => {
    const end = await runCommands(["log", "data"], inspecting({ ...LOG, ...fault }));

    expect(JSON.parse(end.stdout)).toMatchObject(fault);
    expect(end).toMatchObject({
      exitCode: 1,
      stderr: "spanring: damage was found; a start restores everything else\n",
    });
  },
);

test("a torn write is no damage", async () => {
  const end = await runCommands(["log", "data"], inspecting({ ...LOG, torn: [PLACE] }));

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
});

test("a directory without a log, with exit code 1", async () => {
  const end = await runCommands(["log", "data\u{1b}"], inspecting({ ...LOG, segments: [] }));

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toEndWith(" has no log\n");
  expect(end.stderr).not.toContain("\u{1b}");
});

test("a directory that cannot be inspected is reported with the reason", async () => {
  const end = await runCommands(["log", "data"], { inspectDirectory: refusing });

  expect(end).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: "spanring: cannot inspect data: another process uses it\n",
  });
});

test("an unforeseen error is not taken for a state of the directory", async () => {
  const running = runCommands(["log", "data"], { inspectDirectory: failing });

  await expect(running).rejects.toThrow(TypeError);
});
