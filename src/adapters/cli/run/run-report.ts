import type { LoggedBuffer } from "../../../application/logged-buffer.ts";
import type { CountedSpans } from "../../../application/count-spans.ts";
import { quotePeerText } from "../../../domain/quote-text.ts";
import { otlpJson } from "../../otlp/otlp-json.ts";
import { countedText } from "../render/quantities.ts";
import { type ShownSpan, spansFromOtlpJson } from "../render/shown-span.ts";
import type { CheckedExpectation } from "./check-expectations.ts";

const SERVICES_SHOWN = 10;

/** What was expected and what was seen instead, for a person and for a JUnit file. */
export interface FailureText {
  readonly lines: readonly string[];
  /** To be shown below them. */
  readonly spans: readonly ShownSpan[];
}

export function failureText({ seen, nearest }: CheckedExpectation): FailureText {
  const there = `seen: ${countedText(seen.count, "span")}`;
  if (nearest === undefined) return { lines: [there], spans: shown(seen) };
  const without = quotePeerText(nearest.without);
  const near = `without ${without} there ${isOrAre(nearest.count)}`;
  const lines = [there, `${near} ${countedText(nearest.count, "span")}`];
  return { lines, spans: shown(nearest) };
}

/** By service, the busiest first: what came in at all. */
export function receivedText(buffer: Pick<LoggedBuffer, "services">): string {
  const services = buffer.services().toSorted((a, b) => b.spans.received - a.spans.received);
  if (services.length === 0) return "no span was received at all";
  const total = services.reduce((sum, { spans }) => sum + spans.received, 0);
  const named = services
    .slice(0, SERVICES_SHOWN)
    .map(({ service, spans }) => `${quotePeerText(service)} ${spans.received}`);
  const more = services.length > SERVICES_SHOWN ? ", and more" : "";
  return `${countedText(total, "span")} received, by service: ${named.join(", ")}${more}`;
}

function isOrAre(count: number): string {
  return count === 1 ? "is" : "are";
}

function shown({ newest }: CountedSpans): ShownSpan[] {
  return newest.sequences.length === 0
    ? []
    : spansFromOtlpJson(JSON.parse(otlpJson(newest.request)));
}
