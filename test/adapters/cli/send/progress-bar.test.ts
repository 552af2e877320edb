import { expect, test } from "bun:test";
import { openProgress, progressText } from "../../../../src/adapters/cli/send/progress-bar.ts";
import { newTally } from "../../../../src/adapters/cli/send/send-requests.ts";
import { HandMovedSleep } from "../../../support/fakes/hand-moved-sleep.ts";
import { writtenText } from "../../../support/fakes/written-text.ts";

const HALF = { spans: 12_345, fileBytes: 512 };

test("the bar is drawn only if the size is known", () => {
  expect(progressText(HALF, 2000, 1024)).toBe(
    "▕████████████            ▏ 50.0 %  12,345 spans, 512 B, 6,173 spans/s",
  );
  expect(progressText(HALF, 2000, undefined)).toBe("12,345 spans, 512 B, 6,173 spans/s");
  expect(progressText(HALF, 0, 0)).toBe("12,345 spans, 512 B, 0 spans/s");
});

test.each([
  { where: "in a pipe", isTerminal: false, env: {} },
  { where: "on a terminal that cannot erase", isTerminal: true, env: { TERM: "dumb" } },
])("$where, no progress is drawn", ({ isTerminal, env }) => {
  const stderr = writtenText(isTerminal);
  const bar = openProgress(stderr, { clock: new HandMovedSleep(), env }, 1024);

  bar.update({ ...newTally(), ...HALF });
  bar.clear();

  expect(stderr.text()).toBe("");
});

test("progress is drawn at most ten times a second, in one line", () => {
  const stderr = writtenText(true, 40);
  const clock = new HandMovedSleep();
  const bar = openProgress(stderr, { clock, env: { NO_COLOR: "1" } }, 1024);

  for (let at = 0; at < 100; at += 1) {
    bar.update({ ...newTally(), ...HALF });
    clock.moveMs(5);
  }

  const drawings = stderr.text().split("\r\u001b[K").slice(1);
  expect(drawings).toHaveLength(5);
  expect(drawings.filter((drawing) => Bun.stringWidth(drawing) > 39)).toEqual([]);
});
