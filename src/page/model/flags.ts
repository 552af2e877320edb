const SAMPLED = 0x01;
const RANDOM = 0x02;
/** Whether the sender knows if the parent is remote, and whether it is. */
const KNOWS_REMOTE = 0x1_00;
const IS_REMOTE = 0x2_00;

/**
 * Returns the flags of a span or a link with their meanings: `0x301: sampled, remote parent`.
 * Source: `SpanFlags` in `trace.proto`, and W3C Trace Context, level 2.
 */
export function flagsText(flags: number, remote: string): string {
  const meanings = [
    flags & SAMPLED ? "sampled" : "",
    flags & RANDOM ? "random trace ID" : "",
    flags & KNOWS_REMOTE ? `${flags & IS_REMOTE ? "remote" : "local"} ${remote}` : "",
  ].filter(Boolean);
  return [`0x${flags.toString(16)}`, meanings.join(", ")].filter(Boolean).join(": ");
}
