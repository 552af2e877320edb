import { expect, test } from "bun:test";
import { failureOf, refusesAllSpans } from "../../../src/application/forwarding/send-failure.ts";
import { REFUSAL_REASONS } from "../../../src/ports/span-sink.ts";

test("a retryable failure keeps the delay and the hint of the upstream", () => {
  expect(failureOf({ outcome: "retry", message: "503", afterMs: 7, hint: "a file" })).toEqual({
    message: "503",
    afterMs: 7,
    hint: "a file",
    isRefusal: false,
    areSpansRefused: false,
  });
});

test.each([
  { reason: "unauthenticated", hint: "FORWARD_HEADERS_FILE" },
  { reason: "forbidden", hint: "FORWARD_HEADERS_FILE" },
  { reason: "not_found", hint: "path of FORWARD_ENDPOINT" },
  { reason: "unsupported", hint: "FORWARD_COMPRESSION" },
  { reason: "redirected", hint: "FORWARD_ENDPOINT" },
] as const)("the hint for a blocked upstream, $reason, names $hint", ({ reason, hint }) => {
  const failure = failureOf({ outcome: "blocked", reason, message: "no" });

  expect(failure).toMatchObject({ message: "no", isRefusal: true, afterMs: undefined });
  expect(failure.hint).toContain(hint);
});

test("the hint of the sink replaces that of the reason", () => {
  const outcome = {
    outcome: "blocked",
    reason: "not_found",
    message: "no",
    hint: "a topic",
  } as const;

  expect(failureOf(outcome)).toMatchObject({ hint: "a topic", isRefusal: true });
});

test.each(REFUSAL_REASONS)("the reason %s has a hint that names a variable", (reason) => {
  expect(failureOf({ outcome: "blocked", reason, message: "no" }).hint).toContain("FORWARD_");
});

test.each([
  { outcome: "refused", reason: "invalid", message: "400" },
  { outcome: "too_large", message: "413" },
  { outcome: "partly_rejected", rejectedSpans: 1, message: "one" },
] as const)(
  "the hint for an empty request answered with $outcome is to check the endpoint",
  (outcome) => {
    const { hint, isRefusal } = failureOf(outcome);

    expect(isRefusal).toBe(true);
    expect(hint).toStartWith(
      "the upstream refuses even an empty request: check that FORWARD_ENDPOINT is",
    );
  },
);

test("the hint for an upstream that refuses all spans explains how to remove them", () => {
  const { message, hint, isRefusal, areSpansRefused } = refusesAllSpans("400: no");

  expect([message, isRefusal, areSpansRefused]).toEqual(["400: no", true, true]);
  expect(hint).toStartWith("the upstream refuses the remaining spans");
  expect(hint).toContain('remove them with "spanring take --out FILE"');
});

test.each([
  { outcome: "retry", message: "503" },
  { outcome: "blocked", reason: "forbidden", message: "403" },
  { outcome: "refused", reason: "invalid", message: "400" },
] as const)("the outcome $outcome does not count as a refusal of all spans", (outcome) => {
  expect(failureOf(outcome).areSpansRefused).toBe(false);
});
