import { expect, test } from "bun:test";
import { ConcealingSink, secretsOf } from "../../../src/adapters/forward/concealing-sink.ts";
import { quotePeerText } from "../../../src/domain/text/quote-text.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { FakeSink } from "../../support/fakes/fake-sink.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

const secrets = secretsOf(
  [
    ["authorization", "Bearer t0k3n"],
    ["api-key", "back\\slash"],
    ["x-tenant", "a"],
  ],
  "http://up/v1/traces?key=S3%20CRET&flag&n=12",
);

async function concealed(outcome: SendOutcome): Promise<SendOutcome> {
  return await new ConcealingSink(new FakeSink(() => outcome), secrets).send(batchOf(1), never);
}

test.each([
  ["a header's value", "got Bearer t0k3n!", "got ***!"],
  ["the part behind the scheme", "token=t0k3n", "token=***"],
  ["a value that is escaped", "no back\\slash", "no ***"],
  ["the whole query", "at /?key=S3%20CRET&flag&n=12", "at /?***"],
  ["a value of the query", "no S3%20CRET", "no ***"],
  ["a value of the query, decoded", "no S3 CRET", "no ***"],
  ["each of them, wherever they stand", "t0k3n S3 CRET t0k3n", "*** *** ***"],
  ["nothing that is too short to be a secret", "a car, 12 of them", "a car, 12 of them"],
])("%s is concealed", async (_, said, told) => {
  const message = quotePeerText(said);

  expect(await concealed({ outcome: "retry", message, afterMs: 7 })).toEqual({
    outcome: "retry",
    message: told,
    afterMs: 7,
  });
});

test("where a message is cut no beginning of a secret is left", async () => {
  const message = quotePeerText(`${"x".repeat(240)} Bearer t0k3n and on`);

  const outcome = await concealed({ outcome: "too_large", message });

  expect(outcome.message).toBe(`${"x".repeat(240)} ***…`);
});

test("what has no message stays without one", async () => {
  expect(await concealed({ outcome: "delivered" })).toEqual({ outcome: "delivered" });
});

test("closing closes what is behind it", async () => {
  const behind = new FakeSink(() => ({ outcome: "delivered" }));
  await new ConcealingSink(behind, []).close();

  expect(await behind.send(batchOf(1), never)).toMatchObject({ outcome: "retry" });
});
