import type { ObservabilityBuffer } from "./observability-buffer.ts";

/** What readers need of the buffer. The bytes they get are copies of their own. */
export type SpanReader = Pick<
  ObservabilityBuffer,
  "range" | "visit" | "copy" | "peek" | "services" | "stats"
>;
