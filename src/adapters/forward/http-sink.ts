import type { ExportHeader } from "../../domain/text/export-headers.ts";
import { isLoopback } from "../../domain/text/host-address.ts";
import type { SecretText } from "../../domain/text/quote-text.ts";
import type { TimerClock } from "../../ports/clock.ts";
import type { SendOutcome, SpanBatch, SpanSink } from "../../ports/span-sink.ts";
import { readHttpAnswer } from "../otlp/http-answer.ts";
import { connectionFault, tlsHint } from "./connection-fault.ts";
import { CANCELLED, SendsInFlight } from "./sends-in-flight.ts";
import type { TlsMaterial } from "./forward-files.ts";
import { compress, type HttpCompression } from "./compress.ts";

const PROTOBUF = "application/x-protobuf";

export interface HttpSinkParts {
  /** The URL with its path. The query may be secret. */
  readonly url: SecretText;
  /** The path of a Unix socket, to connect to instead of the host. */
  readonly socketPath?: string | undefined;
  /** The certificates; undefined for a connection without encryption. */
  readonly tls: TlsMaterial | undefined;
  readonly headers: readonly ExportHeader[];
  readonly compression: HttpCompression;
  readonly timeoutMs: number;
  readonly userAgent: string;
  readonly clock: TimerClock;
}

/** Posts batches over persistent connections. */
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

function requestInit(parts: HttpSinkParts) {
  const { url, socketPath, headers, compression, tls, userAgent } = parts;
  const init: BunFetchRequestInit = {
    method: "POST",
    headers: [
      ["User-Agent", userAgent],
      ...headers.map(([name, value]): [string, string] => [name, value]),
      ["Content-Type", PROTOBUF],
      // Otherwise the upstream could choose how large its response becomes when decompressed.
      ["Accept-Encoding", "identity"],
      ...(compression === "none" ? [] : [["Content-Encoding", compression] as [string, string]]),
    ],
    redirect: "manual",
    timeout: false,
  };
  if (tls !== undefined) init.tls = tls;
  if (socketPath !== undefined) init.unix = socketPath;
  if (isLoopback(new URL(url.reveal()).hostname)) init.proxy = false;
  return init;
}

interface Posting {
  readonly batch: SpanBatch;
  readonly cancelled: AbortSignal;
}

/** Posts once. Never rejects. `timeoutMs` covers everything, including the response body. */
async function postOnce(
  { url, timeoutMs, tls, clock }: HttpSinkParts,
  init: BunFetchRequestInit,
  { batch, cancelled }: Posting,
): Promise<SendOutcome> {
  const late = new AbortController();
  const cancelTimeout = clock.schedule(timeoutMs, () => late.abort(TIMED_OUT));
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
    cancelTimeout();
  }
}

const TIMED_OUT = new DOMException("no response in time", "TimeoutError");

/**
 * Starts the thread that every `fetch` uses, by a request that fails at once. The thread needs file
 * descriptors; if none is left when it starts, Bun 1.4.5 ends the process, and the ring with it
 * (https://github.com/oven-sh/bun/pull/33850). Once it runs, `fetch` rejects instead, as it should.
 */
export async function startFetchThread(): Promise<void> {
  // Nothing can listen on port 0, so the system refuses it without a packet.
  await fetch("http://127.0.0.1:0/", { proxy: false }).catch(() => {});
}
