import { expect, test } from "bun:test";
import {
  CONDITION_NAMES,
  readCondition,
  type SpanCondition,
} from "../../../src/domain/query/span-filter.ts";
import type { NumberComparison } from "../../../src/domain/query/wanted-attribute.ts";

const NOW = 1_700_000_000_000_000_000n;
const traceId = "0102030405060708090a0b0c0d0e0f10";
const spanId = "1112131415161718";

function compared(key: string, comparison: NumberComparison, number: number): SpanCondition {
  return { on: "attribute_number", key, comparison, number };
}

const good: { name: string; text: string; condition: SpanCondition }[] = [
  { name: "service", text: "shop", condition: { on: "service", value: "shop" } },
  { name: "service", text: "", condition: { on: "service", value: "" } },
  { name: "name", text: "GET /", condition: { on: "name", value: "GET /" } },
  { name: "name", text: "a=b & c", condition: { on: "name", value: "a=b & c" } },
  { name: "text", text: "a=b", condition: { on: "text", value: "a=b" } },
  { name: "name_contains", text: "cart", condition: { on: "name_contains", value: "cart" } },
  { name: "name_matches", text: "GET *", condition: { on: "name_matches", value: "GET *" } },
  { name: "name_matches", text: "", condition: { on: "name_matches", value: "" } },
  { name: "attribute_exists", text: "k", condition: { on: "attribute_exists", value: "k" } },
  {
    name: "attribute_matches",
    text: "k=a*=b",
    condition: { on: "attribute_matches", key: "k", value: "a*=b" },
  },
  { name: "attribute_number", text: "k>=-1.5e3", condition: compared("k", ">=", -1500) },
  { name: "attribute_number", text: "a b <= 2", condition: compared("a b", "<=", 2) },
  { name: "attribute_number", text: "k>0", condition: compared("k", ">", 0) },
  { name: "attribute_number", text: "k=a<.5", condition: compared("k=a", "<", 0.5) },
  { name: "max_duration", text: "1us", condition: { on: "max_duration", durationNano: 1_000n } },
  { name: "trace_id", text: traceId, condition: { on: "trace_id", value: traceId } },
  { name: "trace_id", text: traceId.toUpperCase(), condition: { on: "trace_id", value: traceId } },
  { name: "span_id", text: spanId, condition: { on: "span_id", value: spanId } },
  { name: "links_to", text: spanId, condition: { on: "links_to", value: spanId } },
  {
    name: "links_to",
    text: traceId.toUpperCase(),
    condition: { on: "links_to", value: traceId },
  },
  { name: "kind", text: "unspecified", condition: { on: "kind", value: 0 } },
  { name: "kind", text: "internal", condition: { on: "kind", value: 1 } },
  { name: "kind", text: "server", condition: { on: "kind", value: 2 } },
  { name: "kind", text: "Client", condition: { on: "kind", value: 3 } },
  { name: "kind", text: "PRODUCER", condition: { on: "kind", value: 4 } },
  { name: "kind", text: "consumer", condition: { on: "kind", value: 5 } },
  { name: "kind", text: "0", condition: { on: "kind", value: 0 } },
  { name: "kind", text: "5", condition: { on: "kind", value: 5 } },
  { name: "status", text: "unset", condition: { on: "status", value: 0 } },
  { name: "status", text: "Ok", condition: { on: "status", value: 1 } },
  { name: "status", text: "error", condition: { on: "status", value: 2 } },
  { name: "status", text: "2", condition: { on: "status", value: 2 } },
  { name: "attribute", text: "k=v", condition: { on: "attribute", key: "k", value: "v" } },
  { name: "attribute", text: "k=", condition: { on: "attribute", key: "k", value: "" } },
  { name: "attribute", text: "k=a=b", condition: { on: "attribute", key: "k", value: "a=b" } },
  {
    name: "min_duration",
    text: "250ms",
    condition: { on: "min_duration", durationNano: 250_000_000n },
  },
  { name: "since", text: "5m", condition: { on: "since", unixNano: NOW - 300_000_000_000n } },
  { name: "until", text: "2023-11-14T22:13:20Z", condition: { on: "until", unixNano: NOW } },
  { name: "until", text: "1700000000", condition: { on: "until", unixNano: NOW } },
];

test.each(good)("$name=$text is a condition", ({ name, text, condition }) => {
  expect(readCondition(name, text, NOW)).toEqual(condition);
});

test("every condition has a valid case", () => {
  expect(new Set(good.map(({ name }) => name))).toEqual(new Set(CONDITION_NAMES));
});

const aDuration = "a duration: a number with ns, us, ms, s, m or h, such as 250ms or 1.5s";
const aTime =
  "a time (2026-01-31T12:00:00Z), a date (2026-01-31, in UTC), a Unix time of 10 digits (s), " +
  "13 (ms), 16 (us) or 19 (ns), or how long ago (5m)";
const aKind =
  "one of unspecified, internal, server, client, producer, consumer, or a number from 0 to 5";
const aStatus = "one of unset, ok, error, or a number from 0 to 2";
const aComparison =
  "a key, one of >=, <=, > and <, and a number, such as http.response.status_code>=500";
const anAttribute = "key=value, with a key that is not empty";

test.each([
  { name: "trace_id", text: traceId.slice(1), must: "32 hex digits" },
  { name: "trace_id", text: `${traceId}0`, must: "32 hex digits" },
  { name: "trace_id", text: `g${traceId.slice(1)}`, must: "32 hex digits" },
  { name: "trace_id", text: "", must: "32 hex digits" },
  { name: "span_id", text: traceId, must: "16 hex digits" },
  { name: "span_id", text: "11121314-1516171", must: "16 hex digits" },
  { name: "kind", text: "servers", must: aKind },
  { name: "kind", text: "6", must: aKind },
  { name: "kind", text: "02", must: aKind },
  { name: "kind", text: "", must: aKind },
  { name: "status", text: "failed", must: aStatus },
  { name: "status", text: "3", must: aStatus },
  { name: "status", text: "-1", must: aStatus },
  { name: "attribute", text: "key", must: anAttribute },
  { name: "attribute", text: "=value", must: anAttribute },
  { name: "attribute", text: "", must: anAttribute },
  { name: "text", text: "", must: "a text that is not empty" },
  { name: "name_contains", text: "", must: "a text that is not empty" },
  { name: "attribute_exists", text: "", must: "the key of an attribute" },
  { name: "links_to", text: "ab", must: "32 or 16 hex digits" },
  { name: "links_to", text: "g".repeat(16), must: "32 or 16 hex digits" },
  { name: "attribute_number", text: "k", must: aComparison },
  { name: "attribute_number", text: "k>", must: aComparison },
  { name: "attribute_number", text: ">1", must: aComparison },
  { name: "attribute_number", text: "k>1.2.3", must: aComparison },
  { name: "attribute_number", text: "k>>1", must: aComparison },
  { name: "attribute_number", text: "k=1", must: aComparison },
  { name: "max_duration", text: "1", must: aDuration },
  { name: "min_duration", text: "250", must: aDuration },
  { name: "min_duration", text: "-1s", must: aDuration },
  { name: "since", text: "yesterday", must: aTime },
  { name: "since", text: "17", must: aTime },
  { name: "since", text: "20260131", must: aTime },
  { name: "until", text: "2023-02-30T00:00:00Z", must: aTime },
])("$name=$text is rejected with its bound", ({ name, text, must }) => {
  expect(readCondition(name, text, NOW)).toEqual({
    mistake: `${name} is "${text}"; it must be ${must}`,
  });
});

test.each(["duration", "", "Name", "constructor", "__proto__", "toString"])(
  "%j is not a condition, and the mistake lists the conditions",
  (name) => {
    expect(readCondition(name, "x", NOW)).toEqual({
      mistake:
        `unknown condition "${name}"; known: service, text, name, name_contains, ` +
        "name_matches, trace_id, span_id, links_to, kind, status, attribute, attribute_exists, " +
        "attribute_matches, attribute_number, min_duration, max_duration, since, until",
    });
  },
);

test("text from outside is escaped and cut in a mistake", () => {
  const answers = [
    readCondition("kind", "a\nb\u001b[31m", NOW),
    readCondition("a\nb", "x", NOW),
    readCondition("kind", "x".repeat(1_000), NOW),
  ] as { mistake: string }[];

  const [text, name, long] = answers.map(({ mistake }) => mistake);

  expect(text).toStartWith('kind is "a\\nb\\x1b[31m"; it must be');
  expect(name).toStartWith('unknown condition "a\\nb"; known: service');
  expect(long!.length).toBeLessThan(500);
});
