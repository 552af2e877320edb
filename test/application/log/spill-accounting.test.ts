import { expect, test } from "bun:test";
import { DurableBench } from "../../support/disk/durable-bench.ts";

test("an empty segment evicts nothing, although another begins with the same span", async () => {
  const bench = await DurableBench.open(undefined, { spans: 2 });
  await bench.send(1, 3);

  bench.buffer.evict({ first: 1, end: 1 });

  expect(bench.buffer.stats()).toMatchObject({ spans: { evicted: 0 }, spilled: { spans: 1 } });
});
