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
  ["the value of a header", "got Bearer t0k3n!", "got ***!"],
  ["the credentials after the scheme", "token=t0k3n", "token=***"],
  ["an escaped value", "no back\\slash", "no ***"],
  ["the whole query", "at /?key=S3%20CRET&flag&n=12", "at /?***"],
  ["a value of the query", "no S3%20CRET", "no ***"],
  ["a value of the query, decoded", "no S3 CRET", "no ***"],
  ["every occurrence of every secret", "t0k3n S3 CRET t0k3n", "*** *** ***"],
  ["no value that is too short to be a secret", "a car, 12 of them", "a car, 12 of them"],
])("%s is concealed", async (_, original, expected) => {
  const message = quotePeerText(original);

  expect(await concealed({ outcome: "retry", message, afterMs: 7 })).toEqual({
    outcome: "retry",
    message: expected,
    afterMs: 7,
  });
});

test("a secret at the cut of a message is concealed whole", async () => {
  const message = quotePeerText(`${"x".repeat(240)} Bearer t0k3n and on`);

  const outcome = await concealed({ outcome: "too_large", message });

  expect(outcome.message).toBe(`${"x".repeat(240)} ***…`);
});

test("an outcome without a message stays unchanged", async () => {
  expect(await concealed({ outcome: "delivered" })).toEqual({ outcome: "delivered" });
});

test("close() closes the wrapped sink", async () => {
  const wrapped = new FakeSink(() => ({ outcome: "delivered" }));
  await new ConcealingSink(wrapped, []).close();

  expect(await wrapped.send(batchOf(1), never)).toMatchObject({ outcome: "retry" });
});
