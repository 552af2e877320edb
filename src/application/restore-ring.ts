import { cutRequest } from "../domain/wire/cut-request.ts";
import { quotePeerText } from "../domain/quote-text.ts";
import type { Logger } from "../ports/logger.ts";
import type { SpanSpill, SpilledRequest } from "../ports/span-spill.ts";
import type { ReceivedAmounts } from "./counted-receiver.ts";
import type { Receipt, TraceReceiver } from "./receipt.ts";
import type { SpanAmount } from "./ring-ledger.ts";

export interface RestoreParts {
  readonly spill: SpanSpill;
  /** Of which `amounts` are those of its last request. */
  readonly receiver: TraceReceiver & { readonly amounts: ReceivedAmounts };
  /** What it takes at once; it may have taken more when these spans came in. */
  readonly mostAtOnce: SpanAmount;
  readonly logger: Logger;
}

/** What has come of it so far. */
interface Restored {
  spans: number;
  bytes: number;
  /** The first thing that kept spans out of the ring. */
  trouble: string | undefined;
}

/**
 * The first thing of a start: what the stop before has left is received like anything that comes
 * in. What cannot be is set aside, and the start goes on. Answers how much came back.
 */
export async function restoreRing(parts: RestoreParts): Promise<SpanAmount> {
  const restored: Restored = { spans: 0, bytes: 0, trouble: undefined };
  for await (const item of parts.spill.read()) {
    if ("fault" in item) restored.trouble ??= item.fault;
    else for (const request of pieces(item, parts.mostAtOnce)) receive(parts, request, restored);
  }
  const { spans, bytes, trouble } = restored;
  if (spans > 0) parts.logger.info("restored", { spans, bytes });
  await (trouble === undefined ? remove(parts) : setAside(parts, spans, trouble));
  return { spans, bytes };
}

/** Halves of halves, until each is small enough or of one span. */
function* pieces(request: SpilledRequest, most: SpanAmount): Generator<Uint8Array> {
  const { bytes, spanCount } = request;
  const isSmall = spanCount <= most.spans && bytes.length <= most.bytes;
  if (isSmall || spanCount <= 1) return yield bytes;
  const middle = Math.ceil(spanCount / 2);
  for (const part of [
    { first: 0, end: middle },
    { first: middle, end: spanCount },
  ]) {
    const half = { bytes: cutRequest(bytes, part), spanCount: part.end - part.first };
    yield* pieces(half, most);
  }
}

function receive({ receiver }: RestoreParts, request: Uint8Array, restored: Restored): void {
  const receipt = receiptOf(receiver, request);
  if (receipt.outcome === "accepted" || receipt.outcome === "partly_rejected") {
    restored.spans += receiver.amounts.acceptedSpans;
    restored.bytes += receiver.amounts.acceptedBytes;
  }
  if (receipt.outcome !== "accepted") restored.trouble ??= receipt.message;
}

/** A fault of ours with one request must not keep the program from ever starting again. */
function receiptOf(receiver: TraceReceiver, request: Uint8Array): Receipt {
  try {
    return receiver.receive(request);
  } catch (error) {
    return { outcome: "failed", message: `unexpected: ${reasonOf(error)}` };
  }
}

/** If it stays, the spans come in once more with the next start. */
async function remove({ spill, logger }: RestoreParts): Promise<void> {
  await spill.remove().catch((error: unknown) => {
    const mend = "remove it, or the next start reads the same spans again";
    const fields = { file: spill.place, reason: reasonOf(error), mend };
    logger.error("cannot_remove_spill_file", fields);
  });
}

async function setAside(
  { spill, logger }: RestoreParts,
  restored_spans: number,
  reason: string,
): Promise<void> {
  const told = { file: spill.place, restored_spans, reason };
  try {
    const set_aside = await spill.setAside();
    const mend = `spanring send ${set_aside} sends what can be read of it, restored spans too`;
    logger.error("cannot_restore", { ...told, set_aside, mend });
  } catch (error) {
    const mend = `move it away: it cannot be set aside (${reasonOf(error)})`;
    logger.error("cannot_restore", { ...told, mend });
  }
}

function reasonOf(error: unknown): string {
  return quotePeerText(error instanceof Error ? error.message : String(error));
}
