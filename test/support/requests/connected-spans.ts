import * as fc from "fast-check";
import { request, resourceSpans, spanId, traceId } from "./request-bytes.ts";
import { bytesField, fixed64Field, varintField } from "./wire-bytes.ts";

/** A span of a random graph of services, as tests describe it. */
export interface ConnectedSpan {
  readonly service: string;
  readonly name: string;
  readonly trace: number;
  readonly id: number;
  readonly parent: number | undefined;
  /** The spans to which it links, in its own trace. */
  readonly links: readonly number[];
  readonly isError: boolean;
  /** 0 for times that are not set. */
  readonly startNano: bigint;
  readonly endNano: bigint;
}

const IDS = [1, 2, 3, 4, 5, 6, 7, 8];

/** Generates spans that often have the same names, and whose parents often exist. */
export const connectedSpans: fc.Arbitrary<ConnectedSpan[]> = fc.array(
  fc.record({
    service: fc.constantFrom("shop", "till", "db", "unknown_service"),
    name: fc.constantFrom("GET /", "GET /cart", "pay", ""),
    trace: fc.constantFrom(1, 2),
    id: fc.constantFrom(...IDS),
    parent: fc.option(fc.constantFrom(...IDS), { nil: undefined }),
    links: fc.array(fc.constantFrom(...IDS), { maxLength: 2 }),
    isError: fc.boolean(),
    startNano: fc.constantFrom(0n, 1_000_000_000n, 1_500_000_000n),
    endNano: fc.constantFrom(0n, 900_000_000n, 2_000_000_000n, 2_000_000_064n),
  }),
  { maxLength: 25 },
);

/** Returns one request for each span. */
export function connectedRequests(spans: readonly ConnectedSpan[]): Uint8Array<ArrayBuffer>[] {
  return spans.map(({ trace, id, parent, links, service, ...span }) => {
    const fields = [
      bytesField(1, traceId(trace)),
      bytesField(2, spanId(id)),
      ...(parent === undefined ? [] : [bytesField(4, spanId(parent))]),
      bytesField(5, span.name),
      fixed64Field(7, span.startNano),
      fixed64Field(8, span.endNano),
      ...links.map((link) =>
        bytesField(13, bytesField(2, spanId(link)), bytesField(1, traceId(trace))),
      ),
      ...(span.isError ? [bytesField(15, varintField(3, 2))] : []),
    ];
    return request(resourceSpans(service, bytesField(2, ...fields)));
  });
}
