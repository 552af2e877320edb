import { expect, test } from "bun:test";
import {
  addFilter,
  beginSearch,
  findFilters,
  MAX_FOUND_TOGETHER,
  createFilterIndex,
  type FilterIndex,
} from "../../../src/application/arrivals/filter-index.ts";
import type { SpanCondition, SpanFilter } from "../../../src/domain/query/span-filter.ts";
import { SharedFields } from "../../../src/application/ring/ring-hand-over.ts";
import { locationsOf } from "../../support/requests/matched-spans.ts";
import {
  attribute,
  request,
  resourceSpans,
  span,
  traceId,
} from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

const SPANS = request(
  resourceSpans("shop", span(1, bytesField(9, attribute("test.id", "a"))), span(2)),
  resourceSpans("bank", span(3)),
);

const CONDITIONS = {
  trace: { on: "trace_id", value: Uint8Array.from(traceId(1)).toHex() },
  name: { on: "name", value: "span 1" },
  attribute: { on: "attribute", key: "test.id", value: "a" },
  service: { on: "service", value: "shop" },
  nothing: { on: "kind", value: 1 },
} as const satisfies Record<string, SpanCondition>;

/** Returns the filters that each span of `SPANS` finds. */
function foundIn<IndexedFilter>(
  index: FilterIndex<IndexedFilter>,
  arePlain = true,
): IndexedFilter[][] {
  let filters: IndexedFilter[] = [];
  const fieldsOf = new SharedFields().of;
  const found = (some: ReadonlySet<IndexedFilter>) => void filters.push(...some);
  const search = beginSearch({ index, fieldsOf, arePlain, found });
  return locationsOf(SPANS).map((place) => {
    filters = [];
    findFilters(search, place);
    return filters;
  });
}

test.each<{ by: keyof typeof CONDITIONS; spans: number[] }>([
  { by: "trace", spans: [0] },
  { by: "name", spans: [0] },
  { by: "attribute", spans: [0] },
  { by: "service", spans: [0, 1] },
  { by: "nothing", spans: [0, 1, 2] },
])("a filter is found by the spans that may match it, and by no others: by $by", (each) => {
  const index = createFilterIndex<string>();
  addFilter(index, [CONDITIONS[each.by]], "it");

  const expected = [0, 1, 2].map((row) => (each.spans.includes(row) ? ["it"] : []));
  expect([foundIn(index), foundIn(index, false)]).toEqual([expected, expected]);
});

const full = (index: FilterIndex<number>, filter: SpanFilter) => {
  for (let each = 0; each < MAX_FOUND_TOGETHER; each += 1) addFilter(index, filter, each);
};

test.each<{ by: keyof typeof CONDITIONS }>([
  { by: "trace" },
  { by: "name" },
  { by: "attribute" },
  { by: "service" },
])("a filter whose first bucket is full is found by its next key: $by", ({ by }) => {
  const index = createFilterIndex<number>();
  full(index, [CONDITIONS[by]]);

  const remove = addFilter(index, [CONDITIONS[by]], 1_000);

  // It is in the bucket without a key, so that every span finds it.
  expect(remove).toBeFunction();
  expect(foundIn(index).map((found) => found.includes(1_000))).toEqual([true, true, true]);
});

test("a filter whose buckets are all full is refused until another is removed", () => {
  const index = createFilterIndex<number>();
  const removeFirst = addFilter(index, [CONDITIONS.nothing], 1_000);
  full(index, [CONDITIONS.nothing]);
  full(index, [CONDITIONS.service]);
  const filter = [CONDITIONS.service, CONDITIONS.nothing];

  const refused = addFilter(index, filter, 2_000);
  removeFirst?.();
  const added = addFilter(index, filter, 2_000);

  expect([refused === undefined, added === undefined]).toEqual([true, false]);
  expect(foundIn(index).map((found) => found.includes(1_000))).toEqual([false, false, false]);
});
