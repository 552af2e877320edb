import { expect, test } from "bun:test";
import {
  type Checked,
  checkExpectations,
} from "../../../../src/adapters/cli/run/check-expectations.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import { type Expectation, readExpectation } from "../../../../src/domain/query/expectation.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { NEVER, nextTurn, searchedRing } from "../../../support/running/searched-ring.ts";

function receiving(capacity = { spans: 100, bytes: 1 << 16 }) {
  const { buffer, arrivals, arrive } = searchedRing(capacity);
  const logged = new LoggedBuffer(buffer, new RecordingLogger());
  const receiver: Checked = { buffer: logged, arrivals, problems: () => [] };
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

// Goal: "there are none" is never said of spans that nobody has looked at.
test.each([
  { text: "name=no & count=0", isMet: false, isUncertain: true },
  { text: "service=shop & count=2", isMet: false, isUncertain: true },
  { text: "service=shop & count<=2", isMet: false, isUncertain: true },
  { text: "service=shop & count<3", isMet: false, isUncertain: true },
  { text: "service=shop & count<2", isMet: false, isUncertain: undefined },
  { text: "service=shop & count>=2", isMet: true, isUncertain: undefined },
  { text: "service=shop & count>1", isMet: true, isUncertain: undefined },
  { text: "service=shop & count>=3", isMet: false, isUncertain: undefined },
])("of three spans, one evicted, $text: $isMet", async ({ text, isMet, isUncertain }) => {
  const { receiver, arrive } = receiving({ spans: 2, bytes: 1 << 16 });
  arrive(requestOf(3));

  const [checked] = await checkExpectations(
    { ...receiver, problems: () => problemTotals({ evicted: 1 }) },
    [expectation(text)],
    settling(1),
  );

  expect(checked?.isMet).toBe(isMet);
  expect(checked?.isUncertain).toBe(isUncertain);
});

test.each(["buffer_full", "malformed", "too_large", "failed", "unknown_path"] as const)(
  "what was in a request that was refused for %s may have matched",
  async (reason) => {
    const { receiver } = receiving();
    const problems = () => problemTotals({ [reason]: 1 });

    const [checked] = await checkExpectations(
      { ...receiver, problems },
      [expectation("count=0")],
      settling(1),
    );

    expect(checked).toMatchObject({ isMet: false, isUncertain: true });
  },
);

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
