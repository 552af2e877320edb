import { expect, test } from "bun:test";
import { checkExpectations } from "../../../../src/adapters/cli/run/check-expectations.ts";
import type { Receiver } from "../../../../src/adapters/cli/run/receiver.ts";
import { LoggedBuffer } from "../../../../src/application/logged-buffer.ts";
import { type Expectation, readExpectation } from "../../../../src/domain/query/expectation.ts";
import { RecordingLogger } from "../../../support/recording-logger.ts";
import { requestOf } from "../../../support/request-bytes.ts";
import { NEVER, nextTurn, searchedRing } from "../../../support/searched-ring.ts";

function receiving() {
  const { buffer, arrivals, arrive } = searchedRing();
  const logged = new LoggedBuffer(buffer, new RecordingLogger());
  const receiver: Pick<Receiver, "buffer" | "arrivals"> = { buffer: logged, arrivals };
  return { receiver, arrive };
}

const expectation = (text: string) => readExpectation(text, 0n) as Expectation;

const settling = (settleMs: number) => ({ settleMs, interrupted: NEVER });

test.each([
  { text: "name=span 1", isMet: true, seen: 1, nearest: undefined },
  { text: "service=shop & count=3", isMet: true, seen: 3, nearest: undefined },
  { text: "service=shop & count>3", isMet: false, seen: 3, nearest: 3 },
  { text: "service=shop & name=no", isMet: false, seen: 0, nearest: 3 },
  { text: "service=shop & count<3", isMet: false, seen: 3, nearest: undefined },
  { text: "name=no & count=0", isMet: true, seen: 0, nearest: undefined },
  { text: "count=0", isMet: false, seen: 3, nearest: undefined },
])("of three spans, $text: $isMet, $seen seen", async ({ text, isMet, seen, nearest }) => {
  const { receiver, arrive } = receiving();
  arrive(requestOf(3));

  const [checked] = await checkExpectations(receiver, [expectation(text)], settling(1));

  expect(checked).toMatchObject({ isMet, seen: { count: seen } });
  expect(checked?.nearest?.count).toBe(nearest);
});

test("what is still on its way is waited for", async () => {
  const { receiver, arrive } = receiving();

  const checking = checkExpectations(receiver, [expectation("name=span 2")], settling(60_000));
  await nextTurn();
  arrive(requestOf(2));

  expect(await checking).toMatchObject([{ isMet: true }]);
});

test("nobody waits longer than they want to", async () => {
  const { receiver } = receiving();
  const interrupted = AbortSignal.abort();

  const checking = checkExpectations(receiver, [expectation("name=no")], {
    settleMs: 60_000,
    interrupted,
  });

  expect(await checking).toMatchObject([{ isMet: false }]);
});
