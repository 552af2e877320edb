import { expect, test } from "bun:test";
import { isMessage, schemasOf } from "../../../src/adapters/api-messages/message.ts";
import { forward, MESSAGES, missedSpans } from "../../../src/adapters/api-messages/messages.ts";
import {
  type ForwardStatus,
  zeroForwardFigures,
} from "../../../src/application/forwarding/forward-status.ts";
import { forwardAnswer } from "../../support/fakes/forward-answer.ts";

test.each<Partial<ForwardStatus>>([
  {},
  { state: "untried", lastError: undefined, figures: zeroForwardFigures() },
  { state: "connected" },
])("a message that a server writes with %j is accepted", (parts) => {
  expect(isMessage(forward(), forwardAnswer(parts))).toBe(true);
});

test("members, states and reasons of later versions are accepted", () => {
  const later = { state: "drowned", undeliverable: { drowned: 1 }, depth_metres: 11 };

  expect(isMessage(forward(), { ...forwardAnswer(), ...later })).toBe(true);
});

test.each<[name: string, value: unknown]>([
  ["endpoint", undefined],
  ["state", 1],
  ["retry_in_ms", "soon"],
  ["last_error", { message: "none", time: "noon" }],
  ["last_error", { time: "2026-11-24T13:04:39Z" }],
  ["spans_per_second", null],
  ["lag_seconds", "long"],
  ["in_flight", 3],
  ["in_flight", { batches: 1 }],
  ["retried_spans", undefined],
  ["undeliverable", { invalid: "many" }],
  ["batches", []],
])("%s set to %j is refused", (name, value) => {
  expect(isMessage(forward(), { ...forwardAnswer(), [name]: value })).toBe(false);
});

test.each([{ member: null }, { member: "text" }, { member: [] }])(
  "$member is not accepted as a message",
  ({ member }) => {
    expect(isMessage(forward(), member)).toBe(false);
  },
);

test("an enumeration lists the known words, but a reader accepts others", () => {
  const { Forward } = schemasOf(MESSAGES);

  const states = ["untried", "connected", "backing_off", "blocked"];
  expect(Forward).toMatchObject({ properties: { state: { type: "string", enum: states } } });
  expect(isMessage(forward(), { ...forwardAnswer(), state: "paused" })).toBe(true);
});

test("a schema is built once, and refers to other schemas by name", () => {
  expect(forward()).toBe(forward());
  expect(schemasOf(MESSAGES)).toMatchObject({
    Stats: { properties: { forward: { $ref: "#/components/schemas/Forward" } } },
    TailLine: { anyOf: [{ $ref: "#/components/schemas/SpanLine" }, { type: "object" }] },
  });
  expect(schemasOf(MESSAGES)).toEqual(schemasOf(MESSAGES));
});

test("schemas contain no constraint that every JavaScript number, list or record meets", () => {
  const text = JSON.stringify(schemasOf(MESSAGES));

  const own = ["9007199254740991", "readOnly", "propertyNames", "additionalProperties", "$defs"];
  expect(own.filter((word) => text.includes(word))).toEqual([]);
});

test.each([{ missed: -1 }, { missed: 1.5 }, { missed: "1" }, {}])(
  "%j is not accepted as a line about missed spans",
  (line) => {
    expect(isMessage(missedSpans(), line)).toBe(false);
  },
);
