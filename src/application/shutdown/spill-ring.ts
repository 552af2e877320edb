import type { Logger } from "../../ports/logger.ts";
import type { SpanSpill } from "../../ports/span-sink.ts";
import { lostSpans } from "./lost-spans.ts";
import { releaseOwnBuffer } from "../ring/release-bytes.ts";
import { spanBytesOf, wholeLease } from "../ring/ring-lease.ts";
import type { SpilledBuffer } from "../../ports/trace-buffer.ts";
import { systemErrorText } from "../../domain/text/system-error.ts";

export interface SpillRingParts {
  readonly buffer: SpilledBuffer;
  /** The destination of the remaining spans; undefined if spilling is disabled. */
  readonly spill: SpanSpill | undefined;
  /**
   * Whether forwarding is enabled. Without it, spans were buffered only for readers, and remaining
   * ones do not count as lost.
   */
  readonly isForwarding: boolean;
  readonly logger: Logger;
}

/** Limits each request written, which is in memory in addition to the ring. */
const PIECE = { spans: 8192, bytes: 4 * 1024 * 1024 };

const SET_A_FILE = "set SHUTDOWN_SPILL_FILE to keep such spans for the next start";
const NAME_A_FOLDER = "set SHUTDOWN_SPILL_FILE to a regular file in a writable folder";
const MEND_THE_PLACE = "free space there, or set SHUTDOWN_SPILL_FILE to another file";

/** What happened to the spans that a stop found in the ring. */
export type SpillOutcome = "kept" | "lost";

/**
 * Writes the spans left in the ring, or logs them as lost. It is the last step of a stop, when no
 * spans are appended, taken or sent any more. The ledger still counts them as buffered.
 */
export async function spillRing(parts: SpillRingParts): Promise<SpillOutcome> {
  if (parts.buffer.stats().spans.buffered === 0) return "kept";
  if (parts.spill !== undefined) return await writeSpill(parts, parts.spill);
  return parts.isForwarding ? logLost(parts, SET_A_FILE) : "kept";
}

/**
 * Reports whether a stop could spill spans. It is called during the start. If it returns false, the
 * log says why.
 */
export async function canSpill({
  spill,
  logger,
}: Pick<SpillRingParts, "spill" | "logger">): Promise<boolean> {
  try {
    await spill?.tryOut();
    return true;
  } catch (error) {
    const fields = { file: spill?.shownPath, reason: systemErrorText(error), hint: NAME_A_FOLDER };
    logger.error("cannot_spill", fields);
    return false;
  }
}

async function writeSpill(parts: SpillRingParts, spill: SpanSpill): Promise<SpillOutcome> {
  const spilled = { spans: 0, bytes: 0 };
  try {
    const file = await spill.write(requestsIn(parts, spilled));
    parts.logger.info("spilled", { ...spilled, file });
    if (file !== spill.shownPath) logFileInTheWay(parts, spill, file);
    return "kept";
  } catch (error) {
    parts.logger.error("cannot_spill", { file: spill.shownPath, reason: systemErrorText(error) });
    return logLost(parts, MEND_THE_PLACE);
  }
}

/**
 * Yields the spans in pieces, oldest first. Leases are never settled, so no span is in two pieces
 * and the ledger does not change.
 */
function* requestsIn({ buffer }: SpillRingParts, spilled: { spans: number; bytes: number }) {
  for (let lease = buffer.lease(PIECE); lease !== undefined; lease = buffer.lease(PIECE)) {
    yield lease.request;
    spilled.spans += lease.sequences.length;
    spilled.bytes += spanBytesOf(lease, wholeLease(lease));
    releaseOwnBuffer(lease.request);
  }
}

function logFileInTheWay({ logger }: SpillRingParts, { shownPath }: SpanSpill, file: string): void {
  const hint = `the next start reads only ${shownPath}; use spanring send for the other`;
  logger.warning("spill_file_in_the_way", { in_the_way: shownPath, file, hint });
}

function logLost({ logger, buffer }: SpillRingParts, hint: string): "lost" {
  logger.warning("lost", { ...lostSpans(buffer.services()), hint });
  return "lost";
}
