import type { SpanAmount } from "../../domain/ledger.ts";
import { cutRequest } from "../../domain/wire/assemble.ts";
import type { Logger } from "../../ports/logger.ts";
import type { SpanSpill, SpillFault, SpilledRequest } from "../../ports/span-sink.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { RoomCheck } from "../../ports/trace-buffer.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

export interface RestoreParts {
  readonly spill: SpanSpill;
  readonly buffer: RoomCheck;
  readonly receiver: TraceReceiver;
  /** The receiver's limits for one request; they may have been higher when these spans arrived. */
  readonly maxAtOnce: SpanAmount;
  readonly logger: Logger;
}

/** Counts the restored spans so far. */
interface RestoreProgress {
  spans: number;
  bytes: number;
  /** The first reason why spans could not be restored. */
  trouble: string | undefined;
}

type Items = AsyncGenerator<SpilledRequest | SpillFault>;

/**
 * Restores the spans that the last stop has spilled, as far as the ring has room. It evicts
 * nothing, because the spans are safe on the disk. Spans without room stay there for a later start;
 * spans that cannot be restored are set aside. The start continues in any case. Resolves to the
 * restored amount.
 */
export async function restoreRing(parts: RestoreParts): Promise<SpanAmount> {
  const restored: RestoreProgress = { spans: 0, bytes: 0, trouble: undefined };
  const items = itemsOf(parts);
  try {
    const next = await receiveAll(parts, items, restored);
    const { spans, bytes, trouble } = restored;
    if (spans > 0) parts.logger.info("restored", { spans, bytes });
    if (trouble !== undefined) await setAside(parts, spans, trouble);
    else await (next === undefined ? remove(parts) : leave(parts, spans, rest(next, items)));
    return { spans, bytes };
  } finally {
    await items.return(undefined);
  }
}

async function* itemsOf({ spill, maxAtOnce }: RestoreParts): Items {
  for await (const item of spill.read()) {
    if ("fault" in item) yield item;
    else yield* pieces(item, maxAtOnce);
  }
}

/** Receives requests. Resolves to the first one that does not fit, if any. */
async function receiveAll(
  parts: RestoreParts,
  items: Items,
  restored: RestoreProgress,
): Promise<SpilledRequest | undefined> {
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- leaving `for await` would end the generator
    const { value: item, done } = await items.next();
    if (done === true) return undefined;
    if ("fault" in item) restored.trouble ??= item.fault;
    else if (mustWait(parts, item)) return item;
    // oxlint-disable-next-line no-await-in-loop -- oldest first
    else await receive(parts, item.bytes, restored);
  }
}

/**
 * Reports whether a request waits for a later start. A request larger than the whole ring does not,
 * because it would never fit.
 */
function mustWait({ buffer, maxAtOnce }: RestoreParts, request: SpilledRequest): boolean {
  const { bytes, spanCount: spans } = request;
  if (bytes.length > maxAtOnce.bytes) return false;
  return !buffer.hasRoom({ spans, bytes: bytes.length });
}

/**
 * Yields the remaining requests. Throws at a fault, because the data after it can be read only from
 * the original file.
 */
async function* rest(first: SpilledRequest, items: Items): AsyncGenerator<SpilledRequest> {
  yield first;
  for await (const item of items) {
    if ("fault" in item) throw new Error(item.fault);
    yield item;
  }
}

/**
 * Leaves the remaining requests to the next start, or sets the file aside if that fails. Either
 * way, restored spans are not read again.
 */
async function leave(
  parts: RestoreParts,
  restored_spans: number,
  requests: AsyncGenerator<SpilledRequest>,
): Promise<void> {
  const left = { spans: 0 };
  try {
    await parts.spill.replace(countInto(left, requests));
  } catch (error) {
    return await setAside(parts, restored_spans, systemErrorText(error));
  }
  const hint =
    "the next start continues with it, as far as MAX_BUFFER_SIZE and MAX_BUFFER_BYTES allow";
  const fields = { file: parts.spill.shownPath, restored_spans, left_spans: left.spans, hint };
  parts.logger.warning("not_all_restored", fields);
}

async function* countInto(
  left: { spans: number },
  requests: AsyncGenerator<SpilledRequest>,
): AsyncGenerator<Uint8Array> {
  for await (const { bytes, spanCount } of requests) {
    yield bytes;
    left.spans += spanCount;
  }
}

/** Splits a request in halves until each part is small enough or a single span. */
function* pieces(request: SpilledRequest, most: SpanAmount): Generator<SpilledRequest> {
  const { bytes, spanCount } = request;
  const isSmall = spanCount <= most.spans && bytes.length <= most.bytes;
  if (isSmall || spanCount <= 1) return yield request;
  const middle = Math.ceil(spanCount / 2);
  for (const part of [
    { first: 0, end: middle },
    { first: middle, end: spanCount },
  ]) {
    const half = { bytes: cutRequest(bytes, part), spanCount: part.end - part.first };
    yield* pieces(half, most);
  }
}

async function receive(
  { receiver }: RestoreParts,
  request: Uint8Array,
  restored: RestoreProgress,
): Promise<void> {
  const receipt = await receiptOf(receiver, request);
  if (receipt.outcome === "accepted" || receipt.outcome === "partly_rejected") {
    restored.spans += receipt.amounts.acceptedSpans;
    restored.bytes += receipt.amounts.acceptedBytes;
  }
  if (receipt.outcome !== "accepted") restored.trouble ??= receipt.message;
}

/**
 * Passes a request to the receiver. An internal error with one request must not prevent every
 * future start.
 */
async function receiptOf(receiver: TraceReceiver, request: Uint8Array): Promise<Receipt> {
  try {
    return await receiver.receive(request);
  } catch (error) {
    return { outcome: "failed", message: `unexpected: ${systemErrorText(error)}` };
  }
}

/** Removes the file. If that fails, the next start reads the same spans again. */
async function remove({ spill, logger }: RestoreParts): Promise<void> {
  await spill.remove().catch((error: unknown) => {
    const hint = "remove it; otherwise the next start restores the same spans again";
    const fields = { file: spill.shownPath, reason: systemErrorText(error), hint };
    logger.error("cannot_remove_spill_file", fields);
  });
}

async function setAside(
  { spill, logger }: RestoreParts,
  restored_spans: number,
  reason: string,
): Promise<void> {
  const fields = { file: spill.shownPath, restored_spans, reason };
  try {
    const set_aside = await spill.setAside();
    const hint = `spanring send ${set_aside} sends its readable spans, including restored ones`;
    logger.error("cannot_restore", { ...fields, set_aside, hint });
  } catch (error) {
    const hint = `move it elsewhere; it cannot be renamed (${systemErrorText(error)})`;
    logger.error("cannot_restore", { ...fields, hint });
  }
}
