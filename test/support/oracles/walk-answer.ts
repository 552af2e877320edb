import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import type { WalkedRequest } from "../../../src/domain/wire/walked-request.ts";

/** The range of the body of a message. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface SpanPlace {
  readonly span: Extent;
  readonly resourceSpans: Extent;
  readonly scopeSpans: Extent;
  /** The offset of the trace identifier. */
  readonly traceIdAt: number;
}

export interface RejectedPlace {
  readonly resourceSpans: Extent;
  readonly length: number;
}

/** The result of a walk, as objects. For a fault, only its position and kind. */
export type WalkAnswer =
  | { readonly fault: number; readonly faultOffsetBytes: number }
  | {
      readonly fault: typeof NO_FAULT;
      readonly spans: readonly SpanPlace[];
      readonly contextCount: number;
      readonly spanBytes: number;
      readonly rejectedSpans: number;
      readonly rejectedPlaces: readonly RejectedPlace[];
      readonly rejectedBytes: number;
      readonly rejectedByFault: readonly number[];
      readonly rejectedBytesByFault: readonly number[];
      readonly sawProfilesOnlyField: boolean;
    };

/** Returns the result of the walk under test in the same form. */
export function answerOf(walked: WalkedRequest): WalkAnswer {
  const { fault, faultOffsetBytes, spanBytes, sawProfilesOnlyField } = walked;
  if (fault !== NO_FAULT) return { fault, faultOffsetBytes };
  const spans = Array.from({ length: walked.spanCount }, (_, row) => {
    const context = walked.spanContext[row]!;
    return {
      span: { offset: walked.spanOffset[row]!, length: walked.spanLength[row]! },
      resourceSpans: {
        offset: walked.resourceOffset[context]!,
        length: walked.resourceLength[context]!,
      },
      scopeSpans: { offset: walked.scopeOffset[context]!, length: walked.scopeLength[context]! },
      traceIdAt: walked.spanTraceId[row]!,
    };
  });
  const { contextCount, rejectedSpans, rejectedBytes } = walked;
  const rejectedByFault = Array.from(walked.rejectedByFault);
  const rejectedBytesByFault = Array.from(walked.rejectedBytesByFault);
  const rejectedPlaces = Array.from({ length: rejectedSpans }, (_, row) => ({
    resourceSpans: {
      offset: walked.rejectedResourceOffset[row]!,
      length: walked.rejectedResourceLength[row]!,
    },
    length: walked.rejectedLength[row]!,
  }));
  const byFault = { rejectedByFault, rejectedBytesByFault };
  const rejected = { rejectedSpans, rejectedPlaces, rejectedBytes, ...byFault };
  return { fault, spans, contextCount, spanBytes, ...rejected, sawProfilesOnlyField };
}
