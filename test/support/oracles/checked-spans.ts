import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import {
  createWalkedRequest,
  type WalkedRequest,
} from "../../../src/domain/wire/walked-request.ts";
import { largeField } from "../requests/large-bytes.ts";
import { bytesField } from "../requests/wire-bytes.ts";

/**
 * Spans that can be checked one by one without decoding: each has its appender, its number, and a
 * checksum of both over bytes of varying length.
 *
 *   [0a 10][ac appender 0 0][number, 4][number, 4][0 0 0 ac][12 08][checksum, 8][2a length][name]
 *
 * The scope of a block has the number of the appender, so that a span in the wrong scope is
 * detected.
 */

const MARK = 0xac;
const NUMBER_AT = 6;
const CHECKSUM_AT = 20;
const NAME_AT = 28;
const LONGEST_NAME = 24;

export interface SpanRun {
  readonly appender: number;
  readonly first: number;
  readonly count: number;
}

/** Returns a request with these spans, all in one scope. */
export function checkedRequest({ appender, first, count }: SpanRun): Uint8Array<ArrayBuffer> {
  const spans = new Uint8Array(count * (4 + NAME_AT + 2 + LONGEST_NAME));
  let at = 0;
  for (let number = first; number < first + count; number += 1) {
    at = writeSpan(spans, at, { appender, number });
  }
  const scope = bytesField(1, bytesField(1, [appender]));
  return largeField(1, largeField(2, scope, spans.subarray(0, at)));
}

function writeSpan(into: Uint8Array, at: number, identity: { appender: number; number: number }) {
  const { appender, number } = identity;
  const nameLength = number % LONGEST_NAME;
  into.set([0x12, NAME_AT + 2 + nameLength, 0x0a, 16, MARK, appender], at);
  const body = at + 2;
  writeNumber(into, body + NUMBER_AT, number);
  writeNumber(into, body + NUMBER_AT + 4, number);
  into.set([0, 0, 0, MARK, 0x12, 8], body + NUMBER_AT + 8);
  into.set([0x2a, nameLength], body + NAME_AT);
  into.fill(number & 0x7f, body + NAME_AT + 2, body + NAME_AT + 2 + nameLength);
  writeNumber(into, body + CHECKSUM_AT, checksum(into, body, nameLength));
  writeNumber(into, body + CHECKSUM_AT + 4, number);
  return body + NAME_AT + 2 + nameLength;
}

function writeNumber(into: Uint8Array, at: number, value: number): void {
  for (let byte = 0; byte < 4; byte += 1) into[at + byte] = value >>> (24 - 8 * byte);
}

function readNumber(from: Uint8Array, at: number): number {
  return ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
}

/**
 * Returns the FNV-1a hash of everything but the checksum itself. It is never zero, because it is
 * half of a span id.
 */
function checksum(bytes: Uint8Array, body: number, nameLength: number): number {
  let hash = 0x811c9dc5;
  for (let at = body; at < body + CHECKSUM_AT; at += 1) {
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  }
  for (let at = body + NAME_AT; at < body + NAME_AT + 2 + nameLength; at += 1) {
    hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  }
  return (hash | 1) >>> 0;
}

/** Reports each span of a request; throws for the first that differs from what was appended. */
export class SpanChecker {
  private readonly walked: WalkedRequest;

  constructor(spansPerRequest: number) {
    this.walked = createWalkedRequest({ spansPerRequest, nestingDepth: 10 });
  }

  check(request: Uint8Array, tell: (appender: number, number: number) => void): void {
    walkRequest(this.walked, request);
    if (this.walked.fault !== NO_FAULT) throw new Error(`fault ${this.walked.fault}`);
    if (this.walked.rejectedSpans > 0) throw new Error("a span has lost an identifier");
    for (let row = 0; row < this.walked.spanCount; row += 1) checkSpan(this.walked, row, tell);
  }
}

function checkSpan(
  walked: WalkedRequest,
  row: number,
  tell: (appender: number, number: number) => void,
): void {
  const { request } = walked;
  const body = walked.spanOffset[row]!;
  const appender = request[body + 3]!;
  const number = readNumber(request, body + NUMBER_AT);
  const nameLength = walked.spanLength[row]! - NAME_AT - 2;
  const scope = walked.scopeOffset[walked.spanContext[row]!]!;
  const isWhole =
    nameLength === number % LONGEST_NAME &&
    readNumber(request, body + CHECKSUM_AT) === checksum(request, body, nameLength) &&
    readNumber(request, body + CHECKSUM_AT + 4) === number;
  if (!isWhole) throw new Error(`span ${number} of ${appender} is torn`);
  // [0a 03][0a 01][appender]: the scope, which leads its ScopeSpans.
  if (request[scope + 4] !== appender) throw new Error(`span ${number} is in another's scope`);
  tell(appender, number);
}
