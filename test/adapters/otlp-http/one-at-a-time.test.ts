import { expect, test } from "bun:test";
import { OneAtATime } from "../../../src/adapters/otlp-http/one-at-a-time.ts";

test("a piece of work begins when the one before it has ended", async () => {
  const works = new OneAtATime();
  const first = Promise.withResolvers<string>();
  const begun: string[] = [];
  const run = (name: string, end: Promise<string> | string) =>
    works.run(async () => {
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

test("a piece of work that fails does not affect the next one", async () => {
  const works = new OneAtATime();

  const failed = works.run(() => Promise.reject(new Error("a broken belief")));
  const next = works.run(() => Promise.resolve("done"));

  expect(await failed.catch(String)).toBe("Error: a broken belief");
  expect(await next).toBe("done");
});
