import type { SleepingClock } from "../../../ports/clock.ts";
import type { Environment } from "../../../config/config.ts";
import { isDumb, paletteFor } from "../output/palette.ts";
import { bytesText, countText, percentText } from "../output/quantities.ts";
import { cut, timeBar } from "../output/text-columns.ts";
import type { TextStream } from "../output/text-stream.ts";
import type { Tally } from "./send-requests.ts";

export interface ProgressBar {
  update(tally: Tally): void;
  /** Removes the bar from the terminal. */
  clear(): void;
}

const NO_PROGRESS: ProgressBar = { update: () => {}, clear: () => {} };

const BETWEEN_DRAWINGS_MS = 100;
const BAR_COLUMNS = 24;

/** Moves the cursor to the left edge, and erases the line. Source: ECMA-48, EL. */
const ERASE = "\r\u001b[K";

/** Opens a bar on a terminal that can erase it. A pipe or a log file gets none. */
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

/** Returns the bar and the figures. The bar needs a total, which standard input does not have. */
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
