import { expect, test } from "bun:test";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { disagreement } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { GOLDEN_NAMES, goldenRequest } from "../../support/requests/golden-requests.ts";

// Goal: requests of the real SDK are walked correctly, even with a wrong byte or a missing end.
// Method: every such damage, with protobufjs as the oracle for requests that the walk accepts.

const walked = createWalkedRequest({ spansPerRequest: 1000, nestingDepth: 100 });

function isAccepted(request: Uint8Array): boolean {
  walkRequest(walked, request);
  return walked.fault === NO_FAULT;
}

test.each([
  { name: "plain-server-span", spanCount: 1 },
  { name: "attribute-kinds", spanCount: 1 },
  { name: "events-links-status", spanCount: 2 },
  { name: "two-resources", spanCount: 6 },
] as const)("all spans of $name are found: $spanCount", ({ name, spanCount }) => {
  walkRequest(walked, goldenRequest(name));

  expect(walked).toMatchObject({ fault: NO_FAULT, spanCount, rejectedSpans: 0 });
  expect(disagreement(walked)).toBeUndefined();
});

test.each(GOLDEN_NAMES)(
  "a truncated %s is refused, unless it ends after a ResourceSpans",
  (name) => {
    const golden = goldenRequest(name);
    const lengths = Array.from({ length: golden.length }, (_, length) => length);

    const accepted = lengths.filter((length) => isAccepted(golden.subarray(0, length)));

    const wholeResources = name === "two-resources" ? 1 : 0;
    expect(accepted).toHaveLength(1 + wholeResources);
    expect(accepted.map((length) => seen(golden.subarray(0, length)))).toEqual(
      accepted.map(() => undefined),
    );
  },
);

test.each(GOLDEN_NAMES)("the walk does not throw for any wrong byte in %s", (name) => {
  const golden = goldenRequest(name);

  const damaged = damagedRequests(golden, ANY_CHANGE).map(isAccepted);

  const acceptedCount = [...damaged].filter(Boolean).length;
  expect(acceptedCount).toBeGreaterThan(golden.length * 50);
  expect(acceptedCount).toBeLessThan(golden.length * 250);
});

// Decoding is slow: the smallest request is tested with all changes, and others with eight changes
// of each byte, one for each bit, or with all if `SPANRING_FUZZ_FACTOR=25`.
test.each(GOLDEN_NAMES)("%s with a wrong byte is refused or read as by protobufjs", (name) => {
  const golden = goldenRequest(name);
  const isSmallest = name === "plain-server-span";
  const changes = isSmallest || fuzzRuns(10) > 200 ? ANY_CHANGE : ONE_BIT;

  const disagreements = damagedRequests(golden, changes)
    .filter(isAccepted)
    .map(seen)
    .filter((disagreed) => disagreed !== undefined);

  expect([...disagreements]).toEqual([]);
});

const ANY_CHANGE = Array.from({ length: 255 }, (_, index) => index + 1);
const ONE_BIT = [1, 2, 4, 8, 16, 32, 64, 128];

/** Yields the request with each byte changed in each of these ways; always the same array. */
function* damagedRequests(golden: Uint8Array, changes: readonly number[]) {
  const damaged = golden.slice();
  for (const [at, right] of golden.entries()) {
    for (const change of changes) {
      damaged[at] = right ^ change;
      yield damaged;
    }
    damaged[at] = right;
  }
}

/** Returns the difference from protobufjs, with the bytes. */
function seen(request: Uint8Array): string | undefined {
  walkRequest(walked, request);
  const difference = disagreement(walked);
  return difference === undefined ? undefined : `${difference} in ${request.toHex()}`;
}
