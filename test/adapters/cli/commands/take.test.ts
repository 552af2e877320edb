import { expect, test } from "bun:test";
import { join } from "node:path";
import { noSpans, threeSpans } from "../../../support/fakes/api-answers.ts";
import { type Answer, stopFakeServersAfterEach } from "../../../support/fakes/fake-api.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

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
