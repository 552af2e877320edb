import { Buffer } from "node:buffer";
import { countSpans } from "../../otlp-files/file-request.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";

/** Learns how many spans an answer has from its bytes, which pass by on their way out. */
export interface SpanMeter {
  add(chunk: Uint8Array): void;
  count(): number;
}

export type MeteredForm = "ndjson" | "json" | "otlp";

const HEAD_BYTES = 64;
const NO_SPANS = '{"resourceSpans":[]}';

/** Whether there is a span at all, 0 or 1, for an answer that may be of any size. */
export function firstSpanMeter(): SpanMeter {
  let head = Buffer.alloc(0);
  return {
    add: (chunk) => {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    },
    count: () => {
      const start = head.toString().trimStart();
      return start === "" || start.startsWith(NO_SPANS) ? 0 : 1;
    },
  };
}

/** Of an answer with a limit: it is held, for only the whole of it can be counted. */
export function wholeMeter(form: MeteredForm): SpanMeter {
  const chunks: Uint8Array[] = [];
  return {
    add: (chunk) => void chunks.push(chunk),
    count: () => COUNTS[form](Buffer.concat(chunks)),
  };
}

const COUNTS: Readonly<Record<MeteredForm, (answer: Buffer) => number>> = {
  ndjson: (answer) => answer.toString("latin1").match(/.+/g)?.length ?? 0,
  json: (answer) => {
    const request = parsed(answer);
    return request === undefined ? 1 : spansFromOtlpJson(request).length;
  },
  otlp: (answer) => {
    const count = countSpans(answer);
    return typeof count === "number" ? count : 1;
  },
};

/** What cannot be read has been handed on all the same: something was there. */
function parsed(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString());
  } catch {
    return undefined;
  }
}
