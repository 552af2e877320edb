import type { ServiceAmount } from "../ledger.ts";
import { BAD_LINK, BAD_SPAN_ID, BAD_TRACE_ID, FAULT_KINDS } from "../span-validity.ts";
import { LINK, RESOURCE_SPANS, SCOPE_SPANS, SPAN } from "./otlp-schema.ts";
import { createSpanTable, type SpanTable } from "./request-spans.ts";
import { PLAIN_TRACE_ID_AT } from "./plain-fields.ts";
import { NO_FAULT } from "./walk-fault.ts";
import { serviceNameBytes } from "./resource.ts";

export interface WalkLimits {
  readonly spansPerRequest: number;
  /** Maximum depth of nested messages; the request itself is at depth 1. */
  readonly nestingDepth: number;
}

/**
 * The result of a walk. Each thread creates one and reuses it, so that requests of any size
 * allocate nothing. It is valid until the next walk.
 *
 * Invariant: spans begun = spanCount + rejectedSpans, and contextCount <= spanCount.
 */
export interface WalkedRequest extends SpanTable {
  readonly limits: WalkLimits;
  request: Uint8Array;
  /** The offset of each span's trace identifier. */
  readonly spanTraceId: Uint32Array;
  /** Number of valid spans that were plain from first to last byte. */
  plainSpans: number;
  fault: number;
  faultOffsetBytes: number;
  /** The bytes of valid spans, and below those of rejected ones, as encoded `Span` messages. */
  spanBytes: number;
  rejectedBytes: number;
  /** The rejected spans: their ResourceSpans and lengths. */
  rejectedSpans: number;
  readonly rejectedResourceOffset: Uint32Array;
  readonly rejectedResourceLength: Uint32Array;
  readonly rejectedLength: Uint32Array;
  /** Counts in spans and in bytes; a span with several faults counts for each. */
  readonly rejectedByFault: Uint32Array;
  readonly rejectedBytesByFault: Uint32Array;
  sawProfilesOnlyField: boolean;
  /** Used during a walk only. */
  readonly open: OpenMessages;
}

/** The messages around the current one: the end and kind of each, outermost first. */
interface OpenMessages {
  readonly end: Uint32Array;
  readonly kind: Uint8Array;
  resourceOffset: number;
  resourceLength: number;
  scopeFirstSpan: number;
  spanFaults: number;
  linkFaults: number;
  /** The position up to which the fast path has read a span that it could not accept. */
  plainEnd: number;
}

export function createWalkedRequest(limits: WalkLimits): WalkedRequest {
  return {
    // One row more than the limit, because the row after the last holds the draft of the next span.
    ...createSpanTable(limits.spansPerRequest + 1),
    limits,
    request: new Uint8Array(0),
    spanTraceId: new Uint32Array(limits.spansPerRequest + 1),
    plainSpans: 0,
    fault: NO_FAULT,
    faultOffsetBytes: 0,
    spanBytes: 0,
    rejectedBytes: 0,
    rejectedSpans: 0,
    rejectedResourceOffset: new Uint32Array(limits.spansPerRequest),
    rejectedResourceLength: new Uint32Array(limits.spansPerRequest),
    rejectedLength: new Uint32Array(limits.spansPerRequest),
    sawProfilesOnlyField: false,
    rejectedByFault: new Uint32Array(FAULT_KINDS),
    rejectedBytesByFault: new Uint32Array(FAULT_KINDS),
    open: {
      end: new Uint32Array(limits.nestingDepth),
      kind: new Uint8Array(limits.nestingDepth),
      resourceOffset: 0,
      resourceLength: 0,
      scopeFirstSpan: 0,
      spanFaults: 0,
      linkFaults: 0,
      plainEnd: 0,
    },
  };
}

export function beginWalk(walked: WalkedRequest, request: Uint8Array): void {
  walked.request = request;
  walked.fault = NO_FAULT;
  walked.spanCount = 0;
  walked.spanBytes = 0;
  walked.plainSpans = 0;
  walked.contextCount = 0;
  if (walked.rejectedSpans > 0) forgetRejected(walked);
  walked.sawProfilesOnlyField = false;
  walked.open.plainEnd = 0;
}

function forgetRejected(walked: WalkedRequest): void {
  walked.rejectedSpans = 0;
  walked.rejectedBytes = 0;
  walked.rejectedByFault.fill(0);
  walked.rejectedBytesByFault.fill(0);
}

/** Records the start of a message. Kinds above `LINK` hold nothing to record. */
export function enterMessage(
  walked: WalkedRequest,
  kind: number,
  at: number,
  length: number,
): void {
  const { open, spanCount, contextCount } = walked;
  if (kind === SPAN) {
    walked.spanOffset[spanCount] = at;
    walked.spanLength[spanCount] = length;
    // The usual position; an identifier elsewhere is recorded when it is read.
    walked.spanTraceId[spanCount] = at + PLAIN_TRACE_ID_AT;
    open.spanFaults = BAD_TRACE_ID | BAD_SPAN_ID;
  } else if (kind === LINK) {
    open.linkFaults = 0;
  } else if (kind === SCOPE_SPANS) {
    walked.scopeOffset[contextCount] = at;
    walked.scopeLength[contextCount] = length;
    walked.resourceOffset[contextCount] = open.resourceOffset;
    walked.resourceLength[contextCount] = open.resourceLength;
    open.scopeFirstSpan = spanCount;
  } else if (kind === RESOURCE_SPANS) {
    open.resourceOffset = at;
    open.resourceLength = length;
  }
}

/** Turns the drafts of a finished message into rows, or discards them. */
export function leaveMessage(walked: WalkedRequest, kind: number): void {
  const { open } = walked;
  if (kind === SPAN) {
    if (open.spanFaults === 0) acceptSpan(walked);
    else rejectSpan(walked);
  } else if (kind === LINK) {
    if (open.linkFaults !== 0) open.spanFaults |= BAD_LINK;
  } else if (kind === SCOPE_SPANS && walked.spanCount > open.scopeFirstSpan) {
    walked.contextCount += 1;
  }
}

function acceptSpan(walked: WalkedRequest): void {
  const row = walked.spanCount;
  walked.spanContext[row] = walked.contextCount;
  walked.spanBytes += walked.spanLength[row]!;
  walked.spanCount = row + 1;
}

function rejectSpan(walked: WalkedRequest): void {
  const { open, rejectedSpans: row } = walked;
  const lengthBytes = walked.spanLength[walked.spanCount]!;
  walked.rejectedResourceOffset[row] = open.resourceOffset;
  walked.rejectedResourceLength[row] = open.resourceLength;
  walked.rejectedLength[row] = lengthBytes;
  walked.rejectedSpans = row + 1;
  walked.rejectedBytes += lengthBytes;
  for (let fault = 0; fault < FAULT_KINDS; fault += 1) {
    const hasFault = (open.spanFaults >> fault) & 1;
    walked.rejectedByFault[fault]! += hasFault;
    walked.rejectedBytesByFault[fault]! += hasFault * lengthBytes;
  }
}

/**
 * Returns the amounts of a request's rejected spans for the ledger, with an entry for each run of
 * them in one resource. The names are views of the request.
 */
export function rejectedByService(walked: WalkedRequest): ServiceAmount[] {
  const { request, rejectedSpans, rejectedResourceOffset, rejectedLength } = walked;
  const amounts: ServiceAmount[] = [];
  for (let row = 0; row < rejectedSpans;) {
    const first = row;
    const offset = rejectedResourceOffset[row]!;
    let bytes = 0;
    for (; row < rejectedSpans && rejectedResourceOffset[row] === offset; row += 1) {
      bytes += rejectedLength[row]!;
    }
    const service = serviceNameBytes(request, offset, walked.rejectedResourceLength[first]!);
    amounts.push({ service, spans: row - first, bytes });
  }
  return amounts;
}
