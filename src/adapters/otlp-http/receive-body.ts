import type {
  UnsupportedSignal,
  UnsupportedSignals,
} from "../../application/receiving/unsupported-signals.ts";
import { turn } from "../../application/querying/ring-scan.ts";
import { releaseOwnBuffer } from "../../application/ring/release-bytes.ts";
import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { FairTurns } from "../listening/fair-turns.ts";
import type { CollectionPace } from "../memory/collection-pace.ts";
import { discardItemsInSteps } from "../otlp/discard-items.ts";
import type { Answer } from "../otlp/export-response.ts";
import {
  type Compression,
  declaredSize,
  inflate,
  inflateAside,
  inflatedLimit,
  type InflateFailure,
  type InflateResult,
} from "../otlp/inflate.ts";
import { runSteps } from "../otlp/json/json-reader.ts";
import { requestFromJsonInSteps } from "../otlp/json/json-request.ts";
import { receiveSafely, type SafelyParts, turnAway } from "../otlp/receive-request.ts";
import type { OneAtATime } from "./one-at-a-time.ts";
import type { BodyFormat, BodyParts, BodyReading, ContentCoding } from "./request-body.ts";
import type { RequestInFlight } from "./request-table.ts";
import { answerInstead, type ClosableRequest } from "./unanswered-request.ts";

export interface ReceiveBodyParts extends Pick<SafelyParts, "failed">, BodyParts {
  /** The receivers by encoding of the body, so that each encoding is counted separately. */
  readonly receivers: Readonly<Record<BodyFormat, TraceReceiver>>;
  /** The receiver of metrics and logs; without it, their paths are unknown. */
  readonly unsupported: UnsupportedSignals | undefined;
  readonly pace: CollectionPace;
  readonly nestingDepth: number;
  /** Shared with every other listener. */
  readonly turns: FairTurns;
  /** Shared by all long bodies. */
  readonly longBodies: OneAtATime;
}

export type Signal = "traces" | UnsupportedSignal;

/** The head of a request that may be read: its signal, and how its body is encoded. */
export interface RequestHead {
  readonly signal: Signal;
  readonly format: BodyFormat;
  readonly coding: ContentCoding;
}

interface Receiving {
  readonly head: RequestHead;
  readonly inFlight: RequestInFlight;
  readonly request: ClosableRequest;
}

/** The size up to which a body is received in one turn; that of usual requests is a tenth. */
export const MAX_SHORT_BYTES = 1024 * 1024;

/**
 * Receives a body that has been read. Returns a promise if the body is long, if it has to wait for
 * its turn, or if its spans must first reach the disk; the body must not be freed before.
 *
 * A short one is received in one turn of the event loop, so the objects of one request at a time
 * are in memory. One that is compressed or JSON waits if this turn has no time left: Bun hands over
 * the bodies of all connections in one turn, and a few hundred bytes may decompress to a megabyte.
 *
 * Small ones do not wait, up to a number of bytes a turn. Bun closes a connection if another
 * request or its end follows before an answer is ready (`test/quirks/bun.test.ts`), so a sender
 * that pipelines or half-closes would get none whenever others keep this process busy. A body may
 * be larger than it declares, so its decompression stops at that number, and the body waits after
 * all. One whose connection is closed while it waits is not received (`answerInstead`).
 *
 * A long one, which would block it for up to a quarter of a second, is decompressed on another
 * thread and converted in steps. Long ones take turns, so that the memory for this is needed once;
 * so do their senders.
 */
export function receiveBody(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  receiving: Receiving,
): Answer | Promise<Answer> {
  const { signal, format, coding } = receiving.head;
  // Nearly every request.
  if (coding === "identity" && format === "protobuf" && signal === "traces") {
    return receiveSafely(body, { receiver: parts.receivers.protobuf, failed: parts.failed });
  }
  if (parts.turns.hasTime()) return receiveShortOrLong(parts, body, receiving);
  return (
    receiveSmall(parts, body, receiving) ??
    inLaterTurn(parts, receiving, () => receiveShortOrLong(parts, body, receiving))
  );
}

/** Receives a body that this turn can spare the work for; returns undefined for any other. */
function receiveSmall(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  { head }: Receiving,
): Answer | Promise<Answer> | undefined {
  const plain = inflateUpTo(parts.turns.spareBytes, parts, body, head);
  if (plain === undefined) return undefined;
  parts.turns.spend(plain.outcome === "plain" ? plain.bytes.length : body.length);
  return receivePlain(parts, body, { head, plain });
}

function receiveShortOrLong(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  receiving: Receiving,
): Answer | Promise<Answer> {
  const { head, inFlight } = receiving;
  const plain = inflateUpTo(MAX_SHORT_BYTES, parts, body, head);
  if (plain !== undefined) return receivePlain(parts, body, { head, plain });
  return parts.longBodies.run(inFlight.peer.address, () => receiveLong(parts, body, receiving));
}

function receivePlain(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  { head, plain }: { readonly head: RequestHead; readonly plain: InflateResult },
): Answer | Promise<Answer> {
  const answer = runSteps(receiveInSteps(parts, plain, head));
  freeInflated(plain, body);
  return answer;
}

/** Receives a body when the sender has its turn, unless no one would receive the answer by then. */
function inLaterTurn(
  parts: ReceiveBodyParts,
  receiving: Receiving,
  receive: () => Answer | Promise<Answer>,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const step = (): false => {
    Promise.try(() => countedInstead(parts, receiving) ?? receive()).then(resolve, reject);
    return false;
  };
  parts.turns.queue({ sender: receiving.inFlight.peer.address, step });
  return promise;
}

/** Returns the answer of a request that must not be received any more, and counts the request. */
function countedInstead(parts: ReceiveBodyParts, receiving: Receiving): Answer | undefined {
  const instead = answerInstead(receiving);
  return instead && countFailure(parts, instead, receiving.head);
}

/** Returns undefined for a body that has more bytes when it is decompressed, or may have more. */
function inflateUpTo(
  mostBytes: number,
  parts: ReceiveBodyParts,
  body: Uint8Array,
  { coding, format }: RequestHead,
): InflateResult | undefined {
  if (coding === "identity") {
    // The walk of 20 MiB of protobuf takes 5 ms for spans, and 40 at most.
    return format === "protobuf" || body.length <= mostBytes ? asItIs(body) : undefined;
  }
  const maxBytes = inflatedLimit(body.length, parts.maxBytes);
  const mayBeMore = maxBytes > mostBytes;
  if (mayBeMore && Math.max(body.length, declaredSize(body, coding)) > mostBytes) return undefined;
  const plain = inflate(body, coding, Math.min(maxBytes, mostBytes));
  parts.pace.noteGarbage(plain.garbageBytes);
  return plain.outcome === "too_large" && mayBeMore ? undefined : plain;
}

function asItIs(bytes: Uint8Array): InflateResult {
  return { outcome: "plain", bytes, garbageBytes: 0 };
}

async function receiveLong(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  receiving: Receiving,
): Promise<Answer> {
  const { head } = receiving;
  // Its turn may have come too late.
  const instead = countedInstead(parts, receiving);
  if (instead !== undefined) return instead;
  const isPlain = head.coding === "identity";
  const plain = isPlain ? asItIs(body) : await inflateLong(parts, body, receiving);
  const answer = await inTurns(parts, receiving, receiveInSteps(parts, plain, head));
  freeInflated(plain, body);
  return answer;
}

/** Decompresses a body, and charges the result while it grows. */
async function inflateLong(
  { budget, maxBytes, pace }: ReceiveBodyParts,
  body: Uint8Array,
  { head, inFlight }: Receiving,
): Promise<InflateResult> {
  const plain = await inflateAside(body, head.coding as Compression, {
    maxBytes: inflatedLimit(body.length, maxBytes),
    grown: (bytes) => budget.hold(inFlight.open, bytes),
  });
  pace.noteGarbage(plain.garbageBytes);
  return plain;
}

/** Runs a step in each turn of the event loop, while the request may still be received. */
async function inTurns(
  parts: ReceiveBodyParts,
  receiving: Receiving,
  steps: Generator<void, Answer | Promise<Answer>>,
): Promise<Answer> {
  let instead = countedInstead(parts, receiving);
  while (instead === undefined) {
    const step = steps.next();
    if (step.done === true) return step.value;
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    await turn();
    instead = countedInstead(parts, receiving);
  }
  // Frees what the steps hold.
  steps.return(instead);
  return instead;
}

function freeInflated(plain: InflateResult, body: Uint8Array): void {
  if (plain.outcome === "plain" && plain.bytes !== body) releaseOwnBuffer(plain.bytes);
}

type BodyFailure = Exclude<BodyReading, { outcome: "read" }> | InflateFailure;

/**
 * Counts a body that could not be read, except one that a limit abandoned: the limit counts those.
 */
export function countFailure(
  parts: ReceiveBodyParts,
  body: BodyFailure,
  { signal, format }: RequestHead,
): BodyFailure {
  const isOurs = body.outcome !== "malformed" && body.outcome !== "too_large";
  if (signal !== "traces" || isOurs) return body;
  return turnAway(body, { receiver: parts.receivers[format] });
}

function* receiveInSteps(
  parts: ReceiveBodyParts,
  plain: InflateResult,
  head: RequestHead,
): Generator<void, Answer | Promise<Answer>> {
  if (plain.outcome !== "plain") return countFailure(parts, plain, head);
  const { signal, format } = head;
  if (signal === "traces") return yield* receiveTraces(parts, plain.bytes, format);
  const request = { signal, format, protocol: "http" } as const;
  const { unsupported, nestingDepth } = parts;
  return yield* discardItemsInSteps(plain.bytes, request, {
    unsupported: unsupported!,
    nestingDepth,
  });
}

function* receiveTraces(
  parts: ReceiveBodyParts,
  body: Uint8Array,
  format: BodyFormat,
): Generator<void, Answer | Promise<Answer>> {
  const safely = { receiver: parts.receivers[format], failed: parts.failed };
  if (format === "protobuf") return receiveSafely(body, safely);
  const json = yield* requestFromJsonInSteps(body, { nestingDepth: parts.nestingDepth });
  if (!json.ok) {
    const message = `not OTLP/JSON: ${json.message}`;
    const problem = "not_otlp_json";
    return turnAway({ outcome: "malformed", problem, message } as const, safely);
  }
  const answer = receiveSafely(json.request, safely);
  releaseOwnBuffer(json.request);
  if (json.unknown === "") return answer;
  const complete = (receipt: Receipt): Answer => withUnknownKeys(receipt, json.unknown);
  return answer instanceof Promise ? answer.then(complete) : complete(answer);
}

/**
 * Adds unknown keys to the answer, when they may explain missing spans or missing parts of spans.
 */
function withUnknownKeys(answer: Receipt, unknown: string): Receipt {
  if (answer.outcome === "accepted") return answer.isEmpty ? { ...answer, unknown } : answer;
  if (answer.outcome !== "partly_rejected") return answer;
  return { ...answer, message: `${answer.message} There are ${unknown}.` };
}
