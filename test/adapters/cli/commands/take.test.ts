import { expect, test } from "bun:test";
import { join } from "node:path";
import { noSpans, threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";

stopFakeServersAfterEach();

const take = (argv: readonly string[], answer: Answer) => runAgainstFake(["take", ...argv], answer);

test("the oldest spans are taken and printed", async () => {
  const end = await take(["--limit", "3"], threeSpans);

  expect(end).toMatchObject({ exitCode: 0, asked: ["POST /api/spans/take?limit=3"] });
  expect(end.stdout.split("\n")).toHaveLength(4);
});

test("an empty buffer is exit code 1, so that a loop can end", async () => {
  const stderr = "spanring: the buffer is empty\n";

  expect(await take([], noSpans)).toMatchObject({ exitCode: 1, stdout: "", stderr });
});

test("nothing is taken for a file that cannot be written", async () => {
  const path = join(temporaryFolder(), "no-such-folder", "spans.binpb");

  const end = await take(["--out", path], threeSpans);

  expect(end).toMatchObject({ exitCode: 1, asked: [] });
});

test("there are no filters, and that is said", async () => {
  const end = await take(["--name", "x"], threeSpans);

  expect(end).toMatchObject({ exitCode: 2, asked: [] });
  expect(end.stderr).toStartWith("spanring: take takes no --name; it is of tail, get, ");
});

stopFakeServersAfterEach();

const clear = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["clear", ...argv], answer, parts);

const sequence = { run_id: "a", first: 4, next: 4 };

test.each([
  { removed: 1, text: "removed 1 span\n" },
  { removed: 1234, text: "removed 1,234 spans\n" },
  { removed: 0, text: "removed 0 spans\n" },
])("a terminal is told: $text", async ({ removed, text }) => {
  const end = await clear([], () => Response.json({ removed, sequence }), { columns: 80 });

  expect(end).toMatchObject({
    exitCode: 0,
    stdout: text,
    stderr: "",
    asked: ["DELETE /api/spans"],
  });
});

test.each([{ argv: [] }, { argv: ["--json"], columns: 80 }])(
  "otherwise it is the JSON of the API: %p",
  async ({ argv, columns }) => {
    const answer = { removed: 3, sequence };
    const parts = columns === undefined ? {} : { columns };

    const end = await clear(argv, () => Response.json(answer), parts);

    expect(end.stdout).toBe(`${JSON.stringify(answer)}\n`);
  },
);

test.each([() => new Response("no"), () => Response.json({}), () => Response.json(null)])(
  "an answer that does not say how many is told",
  async (answer) => {
    const end = await clear([], answer);

    expect(end).toMatchObject({ exitCode: 3, stdout: "" });
    expect(end.stderr).toContain("does not say what was removed");
  },
);
