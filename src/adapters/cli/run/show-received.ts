import { querySpans } from "../../../application/querying/query-spans.ts";
import { tailSpans } from "../../../application/waiting/tail-spans.ts";
import type { CopiedSpans } from "../../../ports/trace-buffer.ts";
import { otlpJson } from "../../otlp/json/otlp-json.ts";
import { type CommandRun, paletteOf, type Receiver, report } from "../command/command-run.ts";
import { countedText, countText } from "../output/quantities.ts";
import { type CollectedText, collectedText } from "../output/text-stream.ts";
import { type ShownSpan, spansFromOtlpJson } from "../render/shown-span.ts";
import { livePrinter } from "../render/span-table.ts";
import { traceView } from "../render/trace-view.ts";
import { receivedText } from "./run-report.ts";

/** Shows spans on standard error, because standard output belongs to the command. */
type Received = Pick<Receiver, "buffer" | "arrivals">;

/** The traces at the end are made of so many spans at most, the newest. */
const MAX_SHOWN_SPANS = 1_000;

/** A tail of spans that are printed; `last` is the sequence of the last of them. */
interface Tail extends Received {
  /** Flushed aside, so that a full pipe delays neither the receiver nor signals to the command. */
  readonly output: CollectedText;
  readonly print: (span: ShownSpan) => boolean;
  /** Aborted when nothing more is to be shown: what is written then ends after a whole line. */
  readonly unwanted: AbortSignal;
  last: number;
}

/** Shows the rest of the spans. Resolves at a signal, so that a stuck reader cannot block it. */
type EndTail = (interrupted: AbortSignal) => Promise<void>;

/** Shows spans as they arrive. Call the returned function once the command has ended. */
export function tailReceived(run: CommandRun, { buffer, arrivals }: Received): EndTail {
  const output = collectedText(run.stderr);
  const print = livePrinter(run, output, []);
  const rest = new AbortController();
  const drop = (): void => rest.abort();
  const tail = { output, buffer, arrivals, print, unwanted: rest.signal, last: 0 };
  const cancellation = new AbortController();
  const ended = showArriving(tail, cancellation.signal);
  return async (interrupted) => {
    cancellation.abort();
    interrupted.addEventListener("abort", drop);
    if (interrupted.aborted) drop();
    await ended
      .then(() => showRest(tail))
      .finally(() => interrupted.removeEventListener("abort", drop));
  };
}

async function showArriving(tail: Tail, cancelled: AbortSignal): Promise<void> {
  for await (const piece of tailSpans(tail, { filter: [], after: 0, cancelled })) {
    const { missedSpans } = piece;
    const missed = `spanring: missed ${countedText(missedSpans, "span")}\n`;
    if (missedSpans > 0) tail.output.write(missed);
    await show(tail, piece);
  }
}

/** Shows the spans after the last one: a cancelled tail may not have come to them. */
async function showRest(tail: Tail): Promise<void> {
  const query = { filter: [], limit: MAX_SHOWN_SPANS, newestFirst: false };
  for (let isMore = true; isMore && !tail.unwanted.aborted;) {
    // oxlint-disable-next-line no-await-in-loop -- each part begins after the one before
    const spans = await querySpans(tail.buffer, { ...query, after: tail.last });
    // A command without spans gets no header either.
    // oxlint-disable-next-line no-await-in-loop -- each part follows the one before
    if (spans.sequences.length > 0) await show(tail, spans);
    isMore = spans.sequences.length === MAX_SHOWN_SPANS;
  }
}

async function show(tail: Tail, spans: CopiedSpans): Promise<void> {
  shown(spans).forEach(tail.print);
  tail.last = spans.sequences.at(-1) ?? tail.last;
  await tail.output.flush(tail.unwanted);
}

/** Shows the traces that were received, as trees. */
export async function showReceived(run: CommandRun, { buffer }: Received): Promise<void> {
  const query = { filter: [], after: 0, limit: MAX_SHOWN_SPANS, newestFirst: true };
  const spans = shown(await querySpans(buffer, query));
  report(run, receivedText(buffer));
  if (spans.length === MAX_SHOWN_SPANS) {
    report(run, `these are the traces of the newest ${countText(MAX_SHOWN_SPANS)} spans`);
  }
  if (spans.length === 0) return;
  const { stderr } = run;
  const lines = traceView(spans.toReversed(), stderr.columns, paletteOf(run, stderr));
  stderr.write(`\n${lines.join("\n")}\n`);
}

function shown({ request, sequences }: CopiedSpans): ShownSpan[] {
  return sequences.length === 0 ? [] : spansFromOtlpJson(JSON.parse(otlpJson(request)));
}
