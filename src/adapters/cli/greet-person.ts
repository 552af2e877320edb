import type { Arrivals } from "../../application/arrivals/arrivals.ts";
import type { LoggedBuffer } from "../../application/ring/logged-buffer.ts";
import type { Environment } from "../../config/config.ts";
import { otlpJson } from "../otlp/json/otlp-json.ts";
import { paletteFor } from "./output/palette.ts";
import { firstSpanText, type GreetedServer, greetingText } from "./render/greeting.ts";
import { type ShownSpan, spansFromOtlpJson } from "./render/shown-span.ts";

/** The events of a start that a greeting reports in its own words. */
export const GREETED_EVENTS: ReadonlySet<string> = new Set(["listening", "ready"]);

export interface GreetingParts extends GreetedServer {
  readonly buffer: Pick<LoggedBuffer, "range" | "copy">;
  readonly arrivals: Pick<Arrivals, "onNext">;
}

/** Where a greeting is written. */
export interface GreetingStream {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
  readonly env: Environment;
}

/** Greets the person at a terminal, and announces the first span that arrives. */
export function greetPerson(server: GreetingParts, stream: GreetingStream): void {
  const palette = paletteFor(stream, stream.env);
  const { buffer, arrivals } = server;
  stream.write(greetingText(server, palette));
  const { next } = buffer.range();
  arrivals.onNext(next, () => stream.write(firstSpanText(spanAt(buffer, next), palette)));
}

function spanAt(buffer: GreetingParts["buffer"], sequence: number): ShownSpan | undefined {
  const { request, sequences } = buffer.copy([sequence]);
  return sequences.length === 0 ? undefined : spansFromOtlpJson(JSON.parse(otlpJson(request)))[0];
}
