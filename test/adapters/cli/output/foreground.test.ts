import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { isatty } from "node:tty";
import {
  endInterruptedLine,
  endProcess,
  isForegroundProcess,
  noteInterrupts,
} from "../../../../src/adapters/cli/output/foreground.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

test.each([
  { name: "in the terminal's group", stat: "12 (spanring) S 9 11 9 34817 11 4194304", is: true },
  { name: "in another group", stat: "12 (spanring) S 9 11 9 34817 15 4194304", is: false },
  { name: "without a terminal", stat: "12 (spanring) S 9 11 9 0 -1 4194304", is: false },
  { name: "with a misleading name", stat: "12 (a) S 1 2 3) S 9 11 9 34817 11 4", is: true },
  { name: "with an empty stat file", stat: "", is: false },
])("a process $name is in the foreground: $is", ({ stat, is }) => {
  const file = join(temporaryFolder(), "stat");
  writeFileSync(file, stat);

  expect(isForegroundProcess(file)).toBe(is);
});

test("without a stat file, a process with a terminal counts as in the foreground", () => {
  const hasTerminal = [0, 1, 2].some((fileDescriptor) => isatty(fileDescriptor));

  expect(isForegroundProcess("/no/such/file")).toBe(hasTerminal);
});

/** A process that notes how it is to end. */
function endingProcess() {
  const ends: string[] = [];
  return {
    pid: 12,
    ends,
    removeAllListeners: (signal: string) => ends.push(`no listener of ${signal}`),
    kill: (pid: number, signal: string) => ends.push(`${signal} to ${pid}`),
    exit: (code: number) => void ends.push(`exit ${code}`),
  };
}

test.each([
  { code: 130, wasInterrupted: true, isInForeground: false, ends: ["exit 130"] },
  // A command of `spanring run` may exit with 130 by itself.
  { code: 130, wasInterrupted: false, isInForeground: true, ends: ["exit 130"] },
  { code: 143, wasInterrupted: true, isInForeground: true, ends: ["exit 143"] },
  { code: 0, wasInterrupted: true, isInForeground: true, ends: ["exit 0"] },
  // The exit follows only if the signal does not end the process.
  {
    code: 130,
    wasInterrupted: true,
    isInForeground: true,
    ends: ["no listener of SIGINT", "SIGINT to 12", "exit 130"],
  },
])("$code, interrupted: $wasInterrupted, in the foreground: $isInForeground, is $ends", (row) => {
  const process = endingProcess();
  const { wasInterrupted, isInForeground } = row;

  endProcess(process, row.code, {
    wasInterrupted: () => wasInterrupted,
    isInForeground: () => isInForeground,
  });

  expect(process.ends).toEqual([...row.ends]);
});

test.each([
  { signal: "SIGINT", is: true },
  { signal: "SIGTERM", is: false },
] as const)("a process that has received $signal was interrupted: $is", ({ signal, is }) => {
  const process = new EventEmitter();
  const signals = noteInterrupts(process);
  const received: string[] = [];

  signals.on(signal, () => {
    received.push(`${signal}, interrupted: ${signals.wasInterrupted()}`);
  });
  process.emit(signal);

  expect(received).toEqual([`${signal}, interrupted: ${is}`]);
  expect(signals.wasInterrupted()).toBe(is);
});

test("a process listens for an interrupt only as long as something waits for it", () => {
  const process = new EventEmitter();
  const signals = noteInterrupts(process);
  const listeners = [() => {}, () => {}];

  for (const each of listeners) signals.on("SIGINT", each);
  signals.off("SIGINT", listeners[0]!);
  const isListenedTo = process.emit("SIGINT");
  signals.off("SIGINT", listeners[1]!);

  expect(isListenedTo).toBe(true);
  expect(signals.wasInterrupted()).toBe(true);
  expect(process.listenerCount("SIGINT")).toBe(0);
});

test.each([
  { code: 130, isTerminal: true, text: "\n" },
  { code: 143, isTerminal: true, text: "" },
  { code: undefined, isTerminal: true, text: "" },
  { code: 130, isTerminal: false, text: "" },
])("after $code, the line of a terminal ($isTerminal) ends with $text", (row) => {
  let text = "";
  const write = (piece: string): void => void (text += piece);

  endInterruptedLine({ isTerminal: row.isTerminal, write }, row.code);

  expect(text).toBe(row.text);
});
