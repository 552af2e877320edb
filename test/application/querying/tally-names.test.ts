import { expect, test } from "bun:test";
import { tallyNames } from "../../../src/application/querying/summarise-traces.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { searchedRing } from "../../support/running/searched-ring.ts";

test("names are counted by service, the most frequent first", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(2), request(resourceSpans("cart", span(2), span(2))), requestOf(1, 2));

  const { names, otherSpanCount } = await tallyNames(buffer);

  expect(names).toEqual([
    { service: "shop", name: "span 2", spanCount: 2 },
    { service: "cart", name: "span 2", spanCount: 2 },
    { service: "shop", name: "span 1", spanCount: 1 },
  ]);
  expect(otherSpanCount).toBe(0);
});

test("an empty ring has no names", async () => {
  const { buffer } = searchedRing();

  expect(await tallyNames(buffer)).toEqual({ names: [], otherSpanCount: 0 });
});

test("names beyond the first thousand are counted together", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(1_002), requestOf(2));

  const { names, otherSpanCount } = await tallyNames(buffer);

  expect(names).toHaveLength(1_000);
  expect(names[0]).toEqual({ service: "shop", name: "span 1", spanCount: 2 });
  expect(otherSpanCount).toBe(2);
});
