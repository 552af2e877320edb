import { request, resourceSpans, spanId, traceId } from "./request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "./wire-bytes.ts";

export interface TracedSpan {
  readonly trace: number;
  readonly name: string;
  readonly parent?: number[];
  readonly service?: string;
  readonly startNano?: bigint;
  readonly endNano?: bigint;
  readonly isError?: boolean;
}

/** Returns the trace identifier of this span, in hex. */
export function traceHex(trace: number): string {
  return Buffer.from(traceId(trace)).toString("hex");
}

export const SOME_PARENT = spanId(99);

/** Returns one request per span. */
export function tracedRequests(...spans: TracedSpan[]): Uint8Array<ArrayBuffer>[] {
  return spans.map((span, index) => {
    const { service = "shop", startNano = 1n, endNano = 2n, parent } = span;
    const fields = [
      bytesField(1, traceId(span.trace)),
      bytesField(2, spanId(index + 1)),
      ...(parent === undefined ? [] : [bytesField(4, parent)]),
      bytesField(5, span.name),
      fixed64Field(7, startNano),
      fixed64Field(8, endNano),
      ...(span.isError === true ? [bytesField(15, varintField(3, 2))] : []),
    ];
    return request(resourceSpans(service, bytesField(2, ...fields)));
  });
}
