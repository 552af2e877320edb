import type { ExportHeader } from "../../domain/export-headers.ts";
import { isLoopback } from "../../domain/host-address.ts";
import { quotePeerText } from "../../domain/quote-text.ts";
import type { SecretText } from "../../domain/secret-text.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { MAX_RESPONSE_BYTES } from "../otlp/export-response.ts";
import { compress, type HttpCompression } from "./compress.ts";
import { connectionFault } from "./connection-fault.ts";
import { type Answer, failureOutcome, statusDetails, successOutcome } from "./export-answer.ts";
import { retryAfterMs } from "./retry-after.ts";
import { CANCELLED, SendsInFlight } from "./sends-in-flight.ts";
import type { TlsMaterial } from "./tls-material.ts";
import { httpVerdict } from "./upstream-status.ts";

const PROTOBUF = "application/x-protobuf";

export interface HttpSinkParts {
  /** With its path; what it asks for may be secret. */
  readonly url: SecretText;
  /** Undefined for a connection without encryption. */
  readonly tls: TlsMaterial | undefined;
  readonly headers: readonly ExportHeader[];
  readonly compression: HttpCompression;
  readonly timeoutMs: number;
  readonly userAgent: string;
}

/** Posts the bytes of a batch, over connections that are kept. */
export class HttpSink implements SpanSink {
  // Fixed at construction.
  private readonly parts: HttpSinkParts;
  private readonly init: BunFetchRequestInit;
  private readonly sends = new SendsInFlight();

  constructor(parts: HttpSinkParts) {
    this.parts = parts;
    this.init = requestInit(parts);
  }

  send(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    return this.sends.run(cancelled, (given) => this.post(batch, given));
  }

  async close(): Promise<void> {
    await this.sends.close();
  }

  private async post(batch: SpanBatch, cancelled: AbortSignal): Promise<SendOutcome> {
    const { parts, init } = this;
    const body = await compress(batch.request, parts.compression);
    return await postOnce(parts, { ...init, body }, { batch, cancelled });
  }
}

function requestInit({ url, headers, compression, tls, userAgent }: HttpSinkParts) {
  const init: BunFetchRequestInit = {
    method: "POST",
    headers: [
      ["User-Agent", userAgent],
      ...headers.map(([name, value]): [string, string] => [name, value]),
      ["Content-Type", PROTOBUF],
      // What an answer becomes when it is decompressed would be for the sender to say.
      ["Accept-Encoding", "identity"],
      ...(compression === "none" ? [] : [["Content-Encoding", compression] as [string, string]]),
    ],
    redirect: "manual",
    timeout: false,
  };
  if (tls !== undefined) init.tls = tls;
  if (isLoopback(new URL(url.reveal()).hostname)) init.proxy = false;
  return init;
}

interface Posting {
  readonly batch: SpanBatch;
  readonly cancelled: AbortSignal;
}

/** Resolves however it ends: `timeoutMs` is for all of it, the answer's body included. */
async function postOnce(
  { url, timeoutMs }: HttpSinkParts,
  init: BunFetchRequestInit,
  { batch, cancelled }: Posting,
): Promise<SendOutcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(TIMED_OUT), timeoutMs);
  const signal = AbortSignal.any([cancelled, late.signal]);
  try {
    const response = await fetch(url.reveal(), { ...init, signal });
    return await outcomeOf(response, batch.spanCount);
  } catch (error) {
    if (cancelled.aborted) return CANCELLED;
    const message = connectionFault(error);
    return { outcome: "retry", message, ...(late.signal.aborted ? { isTimeout: true } : {}) };
  } finally {
    clearTimeout(timer);
  }
}

const TIMED_OUT = new DOMException("no answer in time", "TimeoutError");

async function outcomeOf(response: Response, spanCount: number): Promise<SendOutcome> {
  const { status, statusText, headers } = response;
  const verdict = httpVerdict(status);
  const body = await bodyOf(response);
  if (verdict.outcome === "success") {
    if ("unread" in body) return { outcome: "delivered", message: body.unread };
    return successOutcome(answerOf(body.bytes, headers), spanCount);
  }
  const answer = answerOf("unread" in body ? NO_BYTES : body.bytes, headers);
  const details = statusDetails(answer);
  const said = redirection(response) ?? (details.message || plainText(answer, headers));
  const afterMs = retryAfterMs(headers.get("retry-after"), Date.now()) ?? details.retryAfterMs;
  return failureOutcome(verdict, `${status}: ${said || statusText}`, afterMs);
}

const NO_BYTES = new Uint8Array(0);

function answerOf(bytes: Uint8Array, headers: Headers): Answer {
  return { bytes, isJson: typeOf(headers) === "application/json" };
}

function typeOf(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
}

/** Proxies and web servers say in it what a status does not tell; their pages are for browsers. */
function plainText({ bytes }: Answer, headers: Headers): string {
  return typeOf(headers) === "text/plain" ? new TextDecoder().decode(bytes.subarray(0, 1024)) : "";
}

/** Spans go where they are configured to go, and nowhere else. What follows `?` may be secret. */
function redirection({ status, headers }: Response): string | undefined {
  if (status < 300 || status >= 400) return undefined;
  const [to = ""] = (headers.get("location") ?? "").split("?");
  const where = to === "" ? "" : `, here to ${quotePeerText(to)}`;
  return `redirections are not followed${where}; mend FORWARD_ENDPOINT`;
}

/**
 * Or why it is not there. Whatever becomes of it, the status has said what became of the batch: to
 * send that again would double it.
 */
async function bodyOf({ body }: Response): Promise<{ bytes: Uint8Array } | { unread: string }> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  if (body === null) return { bytes: NO_BYTES };
  try {
    for await (const chunk of body) {
      lengthBytes += chunk.length;
      if (lengthBytes > MAX_RESPONSE_BYTES) return { unread: TOO_LONG };
      chunks.push(chunk);
    }
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    return { unread: `its answer was cut off: ${connectionFault(error)}` };
  }
}

const TOO_LONG = `its answer is longer than ${MAX_RESPONSE_BYTES} bytes, and was not read`;
