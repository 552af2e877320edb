import { expect, test } from "bun:test";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import type { CommandSurroundings } from "../../../support/running/run-command-line.ts";

stopFakeServersAfterEach();

const clear = (argv: readonly string[], answer: Answer, parts: CommandSurroundings = {}) =>
  runAgainstFake(["clear", ...argv], answer, parts);

test.each([
  { removed: 1, text: "removed 1 span\n" },
  { removed: 1234, text: "removed 1,234 spans\n" },
  { removed: 0, text: "removed 0 spans\n" },
])("a terminal is told: $text", async ({ removed, text }) => {
  const end = await clear([], () => Response.json({ removed }), { columns: 80 });

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
    const answer = { removed: 3, sequence: { first: 4, next: 4 } };
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
