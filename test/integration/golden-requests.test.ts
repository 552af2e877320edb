import { expect, test } from "bun:test";
import { recordGoldenRequests } from "../support/sdk/golden-recorder.ts";
import { GOLDEN_NAMES, goldenRequest } from "../support/requests/golden-requests.ts";

// If the SDK has changed its requests, run: bun test/support/sdk/record-golden.ts
test("the SDK sends the golden requests", async () => {
  const recorded = await recordGoldenRequests();

  const stored = GOLDEN_NAMES.map((name) => [name, goldenRequest(name)] as const);
  expect([...recorded].map(hexOf)).toEqual(stored.map(hexOf));
});

function hexOf([name, bytes]: readonly [string, Uint8Array]): [string, string] {
  return [name, bytes.toHex()];
}
