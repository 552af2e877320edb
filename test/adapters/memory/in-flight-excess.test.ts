import { expect, test } from "bun:test";
import {
  type DropCause,
  ENVELOPE_BYTES,
  InFlightBudget,
} from "../../../src/adapters/memory/in-flight-budget.ts";
import { UNMEASURED } from "../../../src/adapters/memory/measured-memory.ts";

const MIB = 2 ** 20;

/** Creates a budget of 64 MiB in a process that is too large by `excess.mib`. */
function createBudget() {
  const excess = { mib: 0 };
  const causes: DropCause[] = [];
  const charged: number[] = [];
  const budget = new InFlightBudget({
    capacityBytes: 64 * MIB,
    largestRequestBytes: 20 * MIB,
    clock: { monotonicMs: () => 0 },
    memory: {
      ...UNMEASURED,
      excessBytes: (chargedBytes) => {
        charged.push(chargedBytes);
        return excess.mib * MIB;
      },
    },
  });
  const dropped = (_: number, cause: DropCause) => void causes.push(cause);
  const begin = () => budget.begin({ dropped }, 0);
  return { budget, begin, causes, charged, excess };
}

test.each([
  { excessMib: 10, answersMib: 0, left: 54 },
  { excessMib: 60, answersMib: 0, left: 8 },
  { excessMib: 10, answersMib: 64, left: 14 },
  { excessMib: 20, answersMib: 64, left: 8 },
])("$excessMib MiB beside answers of $answersMib leave $left MiB to requests", (growth) => {
  const { budget, begin, causes, excess } = createBudget();
  budget.noteAnswers(growth.answersMib * MIB);
  excess.mib = growth.excessMib;
  const request = begin();

  budget.hold(request, growth.left * MIB + ENVELOPE_BYTES);
  const before = causes.length;
  budget.hold(request, 1);

  expect([before, causes.length]).toEqual([0, 1]);
});

test("requests for which nothing is left are dropped when the next one begins", () => {
  const { budget, begin, causes, excess } = createBudget();
  budget.hold(begin(), 50 * MIB);
  excess.mib = 30;

  begin();

  expect(causes).toHaveLength(1);
  expect(budget.heldBytes).toBe(0);
});

test.each<{ excessMib: number; answersMib: number; heldMib: number; cause: DropCause }>([
  { excessMib: 30, answersMib: 0, heldMib: 50, cause: "process" },
  { excessMib: 10, answersMib: 30, heldMib: 30, cause: "process" },
  { excessMib: 10, answersMib: 30, heldMib: 40, cause: "answers" },
  { excessMib: 10, answersMib: 0, heldMib: 65, cause: "requests" },
])("$heldMib MiB beside answers of $answersMib lack room because of the $cause", (drop) => {
  const { budget, begin, causes, excess } = createBudget();
  budget.noteAnswers(drop.answersMib * MIB);
  excess.mib = drop.excessMib;

  budget.hold(begin(), drop.heldMib * MIB);

  expect(causes).toEqual([drop.cause]);
});

test("the process is asked for its excess with what requests and answers hold", () => {
  const { budget, begin, charged } = createBudget();
  budget.noteAnswers(20 * MIB);
  budget.hold(begin(), 10 * MIB);

  begin();

  expect(charged).toEqual([20 * MIB, 30 * MIB]);
});

test("an excess that ends leaves everything again", () => {
  const { budget, begin, causes, excess } = createBudget();
  excess.mib = 60;
  begin();
  excess.mib = 0;

  budget.hold(begin(), 63 * MIB);

  expect(causes).toEqual([]);
});
