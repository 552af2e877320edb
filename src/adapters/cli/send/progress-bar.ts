import type { SleepingClock } from "../../../ports/clock.ts";
import type { Environment } from "../../../config/config.ts";
import { isDumb, paletteFor } from "../output/palette.ts";
import { bytesText, countText, percentText } from "../output/quantities.ts";
import { cut, timeBar } from "../output/text-columns.ts";
import type { TextStream } from "../output/text-stream.ts";
import type { Tally } from "./send-requests.ts";

export interface ProgressBar {
  update(tally: Tally): void;
  /** Takes it off the terminal. */
  clear(): void;
}

const NO_PROGRESS: ProgressBar = { update: () => {}, clear: () => {} };

const BETWEEN_DRAWINGS_MS = 100;
const BAR_COLUMNS = 24;

/** Back to the left edge, and erases what is there. Source: ECMA-48, EL. */
const ERASE = "\r\u001b[K";

/** On a terminal that can erase it: in a pipe or a log it would be in the way. */
export function openProgress(
  stderr: TextStream,
  { clock, env }: { readonly clock: SleepingClock; readonly env: Environment },
  totalBytes: number | undefined,
): ProgressBar {
  if (!stderr.isTerminal || isDumb(env)) return NO_PROGRESS;
  const palette = paletteFor(stderr, env);
  const startedMs = clock.monotonicMs();
  let drawnMs = -Infinity;
  return {
    update: (tally) => {
      const nowMs = clock.monotonicMs();
      if (nowMs - drawnMs < BETWEEN_DRAWINGS_MS) return;
      drawnMs = nowMs;
      const text = progressText(tally, nowMs - startedMs, totalBytes);
      stderr.write(ERASE + palette.word(cut(text, stderr.columns - 1)));
    },
    clear: () => void stderr.write(ERASE),
  };
}

/** Shows a bar if the total is known; that of standard input is not. */
export function progressText(
  { spans, fileBytes }: Pick<Tally, "spans" | "fileBytes">,
  elapsedMs: number,
  totalBytes: number | undefined,
): string {
  const rate = elapsedMs <= 0 ? 0 : Math.round((spans / elapsedMs) * 1000);
  const facts = `${countText(spans)} spans, ${bytesText(fileBytes)}, ${countText(rate)} spans/s`;
  if (totalBytes === undefined || totalBytes === 0) return facts;
  const range = { startNano: 0n, endNano: BigInt(totalBytes) };
  const bar = timeBar({ startNano: 0n, endNano: BigInt(fileBytes) }, range, BAR_COLUMNS);
  return `▕${bar.padEnd(BAR_COLUMNS)}▏ ${percentText(fileBytes, totalBytes)}  ${facts}`;
}
