import type { ExportHeader } from "../../domain/text/export-headers.ts";
import { isLoopback } from "../../domain/text/host-address.ts";
import type { SecretText } from "../../domain/text/quote-text.ts";
import { timerMs } from "../../domain/time.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { readHttpAnswer } from "../otlp/http-answer.ts";
import { compress, type HttpCompression } from "./compress.ts";
import { connectionFault } from "./connection-fault.ts";
import { CANCELLED, SendsInFlight } from "./sends-in-flight.ts";
import { tlsHint } from "./tls-hint.ts";
import type { TlsMaterial } from "./tls-material.ts";

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
  { url, timeoutMs, tls }: HttpSinkParts,
  init: BunFetchRequestInit,
  { batch, cancelled }: Posting,
): Promise<SendOutcome> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(TIMED_OUT), timerMs(timeoutMs));
  const signal = AbortSignal.any([cancelled, late.signal]);
  try {
    const response = await fetch(url.reveal(), { ...init, signal });
    return await readHttpAnswer(response, batch.spanCount);
  } catch (error) {
    if (cancelled.aborted) return CANCELLED;
    const message = connectionFault(error);
    const hint = tls === undefined ? {} : tlsHint(message);
    const timeout = late.signal.aborted ? { isTimeout: true as const } : {};
    return { outcome: "retry", message, ...hint, ...timeout };
  } finally {
    clearTimeout(timer);
  }
}

const TIMED_OUT = new DOMException("no answer in time", "TimeoutError");
