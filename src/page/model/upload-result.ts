import { amountText } from "./format.ts";

/** The response of `/api/upload`. */
export interface UploadResult {
  readonly spans: number;
  readonly traces: number;
  readonly rejected_spans: number;
  readonly refused_requests: number;
  readonly other_signals: number;
  readonly broken_parts: number;
  readonly reasons: readonly string[];
  readonly is_complete: boolean;
}

/** Returns the result in one line: what was accepted, and what was not. */
export function resultText(result: UploadResult): string {
  const { spans, traces, rejected_spans, refused_requests, other_signals, broken_parts } = result;
  const others = [
    rejected_spans > 0 && `${amountText(rejected_spans, "span")} refused`,
    refused_requests > 0 && `${amountText(refused_requests, "request")} refused`,
    broken_parts > 0 && `${amountText(broken_parts, "unreadable part")} skipped`,
    other_signals > 0 && `${amountText(other_signals, "request")} with metrics or logs skipped`,
    !result.is_complete && "the rest of the file was not read",
  ].filter((text) => text !== false);
  return [`${amountText(spans, "span")} of ${amountText(traces, "trace")}`, ...others].join("; ");
}

/** Reports whether nothing of the file was lost. */
export function isWhole(result: UploadResult): boolean {
  const { rejected_spans: rejected, refused_requests: refused, broken_parts: broken } = result;
  return rejected + refused + broken === 0 && result.is_complete;
}
