import type { Receipt } from "../domain/receipt.ts";

/**
 * The use case behind every OTLP listener. `request` is not kept after the call: its memory may be
 * given back then.
 */
export interface TraceReceiver {
  receive(request: Uint8Array): Receipt;
  /**
   * To be counted: a listener has refused one by itself, before there was a request to receive; or
   * `receive` threw.
   */
  turnedAway?(outcome: "malformed" | "too_large" | "failed"): void;
}
