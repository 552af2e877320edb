import { expect, test } from "bun:test";
import { recordGoldenRequests } from "../support/sdk/golden-recorder.ts";
import { GOLDEN_NAMES, goldenRequest } from "../support/requests/golden-requests.ts";

// When the SDK has changed what it sends: bun test/support/sdk/record-golden.ts
test("the golden requests are what the SDK sends", async () => {
  const recorded = await recordGoldenRequests();

  const kept = GOLDEN_NAMES.map((name) => [name, goldenRequest(name)] as const);
  expect([...recorded].map(hexOf)).toEqual(kept.map(hexOf));
});

function hexOf([name, bytes]: readonly [string, Uint8Array]): [string, string] {
  return [name, bytes.toHex()];
}
