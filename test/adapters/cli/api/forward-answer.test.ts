import { expect, test } from "bun:test";
import { isForwardAnswer } from "../../../../src/adapters/cli/api/forward-answer.ts";
import { zeroForwardFigures } from "../../../../src/application/forwarding/forward-figures.ts";
import type { ForwardStatus } from "../../../../src/application/forwarding/forward-status.ts";
import { forwardAnswer } from "../../../support/fakes/forward-answer.ts";

test.each<Partial<ForwardStatus>>([
  {},
  { state: "untried", lastError: undefined, figures: zeroForwardFigures() },
  { state: "connected" },
])("what a server with %j answers is one", (parts) => {
  expect(isForwardAnswer(forwardAnswer(parts))).toBe(true);
});

test("so is that of a later version", () => {
  const later = { state: "drowned", undeliverable: { drowned: 1 }, depth_metres: 11 };

  expect(isForwardAnswer({ ...forwardAnswer(), ...later })).toBe(true);
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
])("with %s as %j it is none", (name, value) => {
  expect(isForwardAnswer({ ...forwardAnswer(), [name]: value })).toBe(false);
});

test.each([{ member: null }, { member: "text" }, { member: [] }])(
  "$member is none",
  ({ member }) => {
    expect(isForwardAnswer(member)).toBe(false);
  },
);
