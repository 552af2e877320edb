import type { ServiceStats, SpanAmount } from "../../domain/ledger.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { LogFields, Logger } from "../../ports/logger.ts";

/** Maximum number of services listed in the line; the others are added up. */
const MAX_SERVICES = 20;

/**
 * Logs the spans left in a buffer that is in memory only, at the end of a stop; returns whether
 * there are any.
 */
export function logLost(services: readonly ServiceStats[], logger: Logger): boolean {
  const lost = lostSpans(services);
  if (lost.spans === 0) return false;
  const hint = "set DATA_DIR to keep such spans for the next start";
  logger.warning("lost", { ...lost, hint });
  return true;
}

/** Returns the buffered spans as fields of a log line: in total, and by service, largest first. */
export function lostSpans(services: readonly ServiceStats[]): SpanAmount & LogFields {
  const lost = services
    .map(({ service, spans, bytes }) => {
      return { service: quotePeerText(service), spans: spans.buffered, bytes: bytes.buffered };
    })
    .filter(({ spans }) => spans > 0)
    .toSorted((one, other) => other.spans - one.spans);
  const others = lost.slice(MAX_SERVICES);
  const summed = { services: others.length, ...sumOf(others) };
  const more = others.length === 0 ? {} : { other_services: summed };
  return { ...sumOf(lost), by_service: lost.slice(0, MAX_SERVICES), ...more };
}

function sumOf(amounts: readonly SpanAmount[]): SpanAmount {
  const sum = { spans: 0, bytes: 0 };
  for (const { spans, bytes } of amounts) {
    sum.spans += spans;
    sum.bytes += bytes;
  }
  return sum;
}
