import { expect, test } from "bun:test";
import { OneAtATime } from "../../../src/adapters/otlp-http/one-at-a-time.ts";

test("a piece of work begins when the one before it has ended", async () => {
  const works = new OneAtATime();
  const first = Promise.withResolvers<string>();
  const begun: string[] = [];
  const run = (name: string, end: Promise<string> | string) =>
    works.run("a sender", async () => {
      begun.push(name);
      return await end;
    });

  const results = [run("first", first.promise), run("second", "two")];
  await new Promise((resolve) => void setImmediate(resolve));
  const before = [...begun];
  first.resolve("one");

  expect(await Promise.all(results)).toEqual(["one", "two"]);
  expect([before, begun]).toEqual([["first"], ["first", "second"]]);
});

test.each([
  { how: "rejects", work: () => Promise.reject(new Error("a broken belief")) },
  {
    how: "throws",
    work: () => {
      throw new Error("a broken belief");
    },
  },
])("a piece of work that $how does not affect the next one", async ({ work }) => {
  const works = new OneAtATime();

  const failed = works.run<string>("a sender", work);
  const next = works.run("a sender", () => Promise.resolve("done"));

  expect(await failed.catch(String)).toBe("Error: a broken belief");
  expect(await next).toBe("done");
});

test("senders take turns", async () => {
  const works = new OneAtATime();
  const begun: string[] = [];
  const run = (sender: string, name: string) =>
    works.run(sender, () => Promise.resolve(void begun.push(name)));

  const results = ["a1", "a2", "a3", "b1", "b2", "c1"].map((name) => run(name[0]!, name));
  await Promise.all(results);
  await run("a", "a4");

  expect(begun).toEqual(["a1", "a2", "b1", "c1", "a3", "b2", "a4"]);
});
