/** The three forms of a date in HTTP, which all begin with the day of the week. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * What `Retry-After` asks for, from `nowMs` on: seconds, or a date. Undefined when it is neither.
 *
 * Source: RFC 9110, 10.2.3.
 */
export function retryAfterMs(header: string | null, nowMs: number): number | undefined {
  const text = header?.trim() ?? "";
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const ms = HTTP_DATE.test(text) ? Date.parse(text) - nowMs : Number.NaN;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}
