import { describe, expect, test } from "bun:test";
import type { Expectation } from "../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../src/domain/expectation/read-expectation.ts";

const MANY = { min: 1, max: Infinity };

describe("conditions and a count are read", () => {
  test.each([
    {
      text: "name=GET / & service=shop & count>=2",
      conditions: [
        { on: "name", value: "GET /" },
        { on: "service", value: "shop" },
      ],
      count: { min: 2, max: Infinity },
    },
    { text: "service=shop", conditions: [{ on: "service", value: "shop" }], count: MANY },
    { text: "count=0", conditions: [], count: { min: 0, max: 0 } },
    {
      text: "count < 3 & status=error",
      conditions: [{ on: "status", value: 2 }],
      count: { min: 0, max: 2 },
    },
    {
      text: "count=2..5 & status=ok",
      conditions: [{ on: "status", value: 1 }],
      count: { min: 2, max: 5 },
    },
    {
      text: "attribute=a=b=c & attribute=d=e & name=x",
      conditions: [
        { on: "attribute", key: "a", value: "b=c" },
        { on: "attribute", key: "d", value: "e" },
        { on: "name", value: "x" },
      ],
      count: MANY,
    },
    {
      text: "name=this \\& that & count<=9",
      conditions: [{ on: "name", value: "this & that" }],
      count: { min: 0, max: 9 },
    },
    { text: "name=\\& \\&", conditions: [{ on: "name", value: "& &" }], count: MANY },
    {
      text: "name=x\n& service=shop\n& count=1\n",
      conditions: [
        { on: "name", value: "x" },
        { on: "service", value: "shop" },
      ],
      count: { min: 1, max: 1 },
    },
    {
      text: "name=a&b & count>1",
      conditions: [{ on: "name", value: "a&b" }],
      count: { min: 2, max: Infinity },
    },
    {
      text: 'name=\'sit under & before\' & service="a \\" b"',
      conditions: [
        { on: "name", value: "sit under & before" },
        { on: "service", value: 'a " b' },
      ],
      count: MANY,
    },
    { text: "name=it's fine", conditions: [{ on: "name", value: "it's fine" }], count: MANY },
    { text: "name=GET *", conditions: [{ on: "name_matches", value: "GET *" }], count: MANY },
    { text: "name='GET *'", conditions: [{ on: "name", value: "GET *" }], count: MANY },
    { text: "name=we have it", conditions: [{ on: "name", value: "we have it" }], count: MANY },
    {
      text: "http.route=/a & http.route=/b/* & db.system & http.response.status_code>=500",
      conditions: [
        { on: "attribute", key: "http.route", value: "/a" },
        { on: "attribute_matches", key: "http.route", value: "/b/*" },
        { on: "attribute_exists", value: "db.system" },
        {
          on: "attribute_number",
          key: "http.response.status_code",
          comparison: ">=",
          number: 500,
        },
      ],
      count: MANY,
    },
    {
      text: "attribute=q='a & b' & a.b='*'",
      conditions: [
        { on: "attribute", key: "q", value: "a & b" },
        { on: "attribute", key: "a.b", value: "*" },
      ],
      count: MANY,
    },
    {
      text: "duration<250ms & duration>1us",
      conditions: [
        { on: "max_duration", durationNano: 249_999_999n },
        { on: "min_duration", durationNano: 1_001n },
      ],
      count: MANY,
    },
    {
      text: "duration<=2s & duration>=1s",
      conditions: [
        { on: "max_duration", durationNano: 2_000_000_000n },
        { on: "min_duration", durationNano: 1_000_000_000n },
      ],
      count: MANY,
    },
    {
      text: "event=exception & exception.type=TimeoutError & event=re* & event & kind=server",
      conditions: [
        {
          on: "event",
          name: { text: "exception", isPattern: false },
          attributes: [{ on: "attribute", key: "exception.type", value: "TimeoutError" }],
        },
        { on: "event", name: { text: "re*", isPattern: true }, attributes: [] },
        { on: "event", name: undefined, attributes: [] },
        { on: "kind", value: 2 },
      ],
      count: MANY,
    },
    {
      text: "link=* & a.b>1 & attribute=c=d & link=ABCDEF0123456789",
      conditions: [
        {
          on: "link",
          id: undefined,
          attributes: [{ on: "attribute_number", key: "a.b", comparison: ">", number: 1 }],
        },
        { on: "attribute", key: "c", value: "d" },
        { on: "link", id: "abcdef0123456789", attributes: [] },
      ],
      count: MANY,
    },
  ])("$text", ({ text, conditions, count }) => {
    const { subject, ...others } = readExpectation(text, 0n) as Expectation;

    expect<unknown>(subject.selector.conditions.map((each) => each.test)).toEqual(conditions);
    expect(others).toEqual({ text, count, requirement: undefined, later: undefined });
  });
});
