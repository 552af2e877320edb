import { expect, test } from "bun:test";
import { numbersIn } from "../../simulation/numbered-spans.ts";
import { DurableBench } from "../../support/disk/durable-bench.ts";
import { numbers } from "../../support/disk/opened-log.ts";

// A reader that asks for everything must not fill memory with what only the disk can hold.
test("a take gets at most as many bytes from the disk as memory may hold", async () => {
  const bytes = 40_000;
  const bench = await DurableBench.open(undefined, { spans: 4, bytes });
  for (const at of numbers(0, 200)) await bench.send(at * 4 + 1, 4);

  const taken = [];
  while (bench.buffer.hasSpilled()) taken.push(await bench.buffer.take(1_000_000));

  const [first] = taken;
  const sizes = taken.map(({ request }) => request.length);
  expect(taken.length).toBeGreaterThan(3);
  expect(Math.max(...sizes)).toBeLessThan(2 * bytes);
  expect(first!.range).toEqual({ first: 1, next: first!.sequences.at(-1)! + 1 });
  expect(taken.flatMap(({ request }) => numbersIn(request))).toEqual(numbers(1, 800));
  expect(bench.buffer.stats().spans).toMatchObject({ taken: 800, buffered: 0 });
});
