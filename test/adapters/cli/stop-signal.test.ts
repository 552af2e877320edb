import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { stopSignal, stopSignals } from "../../../src/adapters/cli/stop-signal.ts";

class FakeProcess extends EventEmitter {
  readonly exitCodes: number[] = [];

  exit(code: number): void {
    this.exitCodes.push(code);
  }
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "the first %s asks to stop and ends nothing",
  async (signal) => {
    const process = new FakeProcess();
    const stopped = stopSignal(process);

    process.emit(signal);

    expect(await stopped).toBe(signal);
    expect(process.exitCodes).toEqual([]);
  },
);

test.each([
  { first: "SIGTERM", second: "SIGTERM", code: 143 },
  { first: "SIGTERM", second: "SIGINT", code: 130 },
  { first: "SIGINT", second: "SIGINT", code: 130 },
])("$second after $first ends the program with $code", ({ first, second, code }) => {
  const process = new FakeProcess();
  void stopSignal(process);

  process.emit(first);
  process.emit(second);

  expect(process.exitCodes).toEqual([code]);
});

test("where there is something to save, the second asks to hurry and ends nothing", async () => {
  const process = new FakeProcess();
  const { stopped, hurried } = stopSignals(process);

  process.emit("SIGTERM");
  process.emit("SIGINT");

  expect(await Promise.all([stopped, hurried])).toEqual(["SIGTERM", "SIGINT"]);
  expect(process.exitCodes).toEqual([]);
});

test.each([
  { third: "SIGTERM", code: 143 },
  { third: "SIGINT", code: 130 },
])("there, a third, $third, ends the program with $code", ({ third, code }) => {
  const process = new FakeProcess();
  stopSignals(process);

  for (const signal of ["SIGTERM", "SIGTERM", third]) process.emit(signal);

  expect(process.exitCodes).toEqual([code]);
});
