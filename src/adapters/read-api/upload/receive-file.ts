import { turn } from "../../../application/querying/ring-scan.ts";
import { releaseOwnBuffer } from "../../../application/ring/release-bytes.ts";
import type { Receipt } from "../../../domain/receipt.ts";
import { walkRequest } from "../../../domain/wire/request-walk.ts";
import { createWalkedRequest, type WalkedRequest } from "../../../domain/wire/walked-request.ts";
import type { TraceReceiver } from "../../../ports/trace-receiver.ts";
import type { upload } from "../../api-messages/upload.ts";
import type { Written } from "../../api-messages/message.ts";
import type { InFlightBudget } from "../../memory/in-flight-budget.ts";
import type { ReadLimits } from "../../otlp-files/byte-source.ts";
import { type FileItem, type FileRequest, faultText } from "../../otlp-files/file-request.ts";
import { readRequests } from "../../otlp-files/read-requests.ts";
import { requestFromJsonInSteps } from "../../otlp/json/json-request.ts";
import { receiveSafely, turnAway } from "../../otlp/receive-request.ts";

/** Holds the parts that receive an uploaded file. */
export interface FileReceiving {
  /** The receivers by encoding, which count the requests like those over OTLP/HTTP. */
  readonly receivers: Readonly<Record<"protobuf" | "json", TraceReceiver>>;
  readonly limits: {
    /** The maximum size of a request. */
    readonly requestBytes: number;
    readonly spansPerRequest: number;
    readonly nestingDepth: number;
  };
  /** Reports a fault of ours. */
  readonly failed: (error: unknown) => void;
  /** Records what a request was refused for. */
  readonly answered: (receipt: Receipt) => void;
}

/** Holds what uploads share with each other and with the listeners of OTLP. */
export interface UploadParts extends Pick<FileReceiving, "receivers" | "limits"> {
  /** Shared with every other listener. */
  readonly budget: InFlightBudget;
  /** The limit of a file when it is decompressed; by default, four times that of any file. */
  readonly maxDecompressedBytes?: number;
}

interface FileParts extends FileReceiving {
  /** Called before decompressed bytes are read, and throws to end the file. */
  readonly decompressed: (lengthBytes: number) => void;
  /** Called when an item of this size in the file has been received. */
  readonly received: (fileBytes: number) => void;
}

export type UploadTally = {
  -readonly [Name in keyof Written<typeof upload>]: Written<typeof upload>[Name];
};

/** The number of different reasons that an answer lists. */
const MAX_REASONS = 10;

/** The identifiers of this many traces are kept to count them. */
export const MAX_COUNTED_TRACES = 100_000;

/** A longer JSON document is not parsed into objects, but converted byte by byte. */
const MAX_PARSED_BYTES = 1024 * 1024;

/** Receives the requests of a file, one in a turn of the event loop. */
export async function receiveFile(
  chunks: AsyncIterable<Uint8Array>,
  parts: FileParts,
): Promise<UploadTally> {
  const tally = newTally();
  const traces = traceCounter(parts);
  const { requestBytes } = parts.limits;
  const { decompressed } = parts;
  const limits: ReadLimits = { requestBytes, parsedBytes: MAX_PARSED_BYTES, decompressed };
  for await (const item of readRequests(chunks, limits)) {
    tally.is_complete = await noteItem(tally, traces, { item, parts });
    parts.received("fileBytes" in item ? item.fileBytes : 0);
    if (!tally.is_complete) break;
    await turn();
  }
  tally.traces = traces.count();
  return tally;
}

function newTally(): UploadTally {
  return {
    spans: 0,
    traces: 0,
    requests: 0,
    rejected_spans: 0,
    refused_requests: 0,
    other_signals: 0,
    broken_parts: 0,
    reasons: [],
    is_complete: true,
  };
}

type TraceCounter = ReturnType<typeof traceCounter>;

/** Notes an item of the file. Resolves to false if the rest cannot be received. */
async function noteItem(
  tally: UploadTally,
  traces: TraceCounter,
  { item, parts }: { readonly item: FileItem; readonly parts: FileParts },
): Promise<boolean> {
  if ("otherSignal" in item) tally.other_signals += 1;
  else if ("fault" in item) {
    tally.broken_parts += 1;
    noteReason(tally, faultText(item));
    return item.skippedBytes !== undefined;
  } else return await receiveItem(tally, traces, { item, parts });
  return true;
}

async function receiveItem(
  tally: UploadTally,
  traces: TraceCounter,
  { item, parts }: { readonly item: FileRequest; readonly parts: FileParts },
): Promise<boolean> {
  tally.requests += 1;
  const encoded = await protobufOf(item, parts);
  const isJson = item.contentType === "application/json";
  const receiver = isJson ? parts.receivers.json : parts.receivers.protobuf;
  const receipt =
    "outcome" in encoded
      ? turnAway(encoded, { receiver })
      : await receiveSafely(encoded.request, { receiver, failed: parts.failed });
  parts.answered(receipt);
  noteReceipt(tally, receipt);
  if ("amounts" in receipt && "request" in encoded) traces.note(encoded.request);
  if (isJson && "request" in encoded) releaseOwnBuffer(encoded.request);
  return "message" in receipt ? !isFinal(receipt) : true;
}

type Encoded = { readonly request: Uint8Array } | Extract<Receipt, { outcome: "malformed" }>;

async function protobufOf(item: FileRequest, { limits }: FileParts): Promise<Encoded> {
  if (item.contentType === "application/x-protobuf") return { request: item.bytes };
  const steps = requestFromJsonInSteps(item.bytes, limits);
  for (;;) {
    const step = steps.next();
    if (step.done !== true) {
      // oxlint-disable-next-line no-await-in-loop -- one step in a turn of the event loop
      await turn();
      continue;
    }
    if (step.value.ok) return { request: step.value.request };
    const message = `not OTLP/JSON: ${step.value.message}`;
    return { outcome: "malformed", problem: "not_otlp_json", message };
  }
}

/** Reports whether the next request would be refused as well. */
function isFinal({ outcome }: Receipt): boolean {
  return outcome === "refused" || outcome === "stopping" || outcome === "failed";
}

function noteReceipt(tally: UploadTally, receipt: Receipt): void {
  if ("amounts" in receipt) {
    tally.spans += receipt.amounts.acceptedSpans;
    tally.rejected_spans += receipt.amounts.rejectedSpans;
  } else tally.refused_requests += 1;
  if ("message" in receipt) noteReason(tally, receipt.message);
}

function noteReason(tally: UploadTally, reason: string): void {
  const { reasons } = tally;
  if (reasons.length === MAX_REASONS || reasons.includes(reason)) return;
  tally.reasons = [...reasons, reason];
}

/** Counts the different traces of valid spans. */
function traceCounter({ limits }: FileParts) {
  const ids = new Set<string>();
  let walked: WalkedRequest | undefined;
  return {
    count: () => ids.size,
    note: (request: Uint8Array): void => {
      walked ??= createWalkedRequest(limits);
      walkRequest(walked, request);
      for (let row = 0; row < walked.spanCount && ids.size < MAX_COUNTED_TRACES; row += 1) {
        const at = walked.spanTraceId[row]!;
        ids.add(request.subarray(at, at + TRACE_ID_BYTES).toHex());
      }
    },
  };
}

const TRACE_ID_BYTES = 16;
