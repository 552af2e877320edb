import { expect, test } from "bun:test";
import { countSpans } from "../../../src/application/querying/query-spans.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { named, searchedRing } from "../../support/running/searched-ring.ts";

test.each([
  { name: "all, of which the newest few are shown", filter: [], count: 9, newest: [9, 8, 7, 6, 5] },
  { name: "those that match", filter: named("span 3"), count: 1, newest: [3] },
  { name: "none that matches", filter: named("no"), count: 0, newest: [] },
  { name: "those after a sequence", filter: [], after: 7, count: 2, newest: [9, 8] },
])("spans are counted: $name", async ({ filter, after, count, newest }) => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(9));

  const counted = await countSpans(buffer, filter, after);

  expect(counted.count).toBe(count);
  expect(counted.newest.sequences).toEqual(newest);
});

test("spans are not scanned once the count is unwanted", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(5_000));
  let [asked, looks] = [0, 0];
  const watched = {
    range: buffer.range.bind(buffer),
    copy: buffer.copy.bind(buffer),
    visit: (...search: Parameters<typeof buffer.visit>) => {
      looks += 1;
      buffer.visit(...search);
    },
  };

  await countSpans(watched, [], 0, () => (asked += 1) > 1);

  expect(looks).toBe(1);
});
