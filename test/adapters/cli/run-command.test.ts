import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { stopSignal } from "../../../src/adapters/cli/run-command.ts";

class FakeProcess extends EventEmitter {
  readonly exitCodes: number[] = [];

  exit(code: number): void {
    this.exitCodes.push(code);
  }
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "the first %s requests a stop without ending the process",
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
])("$second after $first ends the process with exit code $code", ({ first, second, code }) => {
  const process = new FakeProcess();
  void stopSignal(process);

  process.emit(first);
  process.emit(second);

  expect(process.exitCodes).toEqual([code]);
});
