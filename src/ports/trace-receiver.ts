import type { Receipt } from "../domain/receipt.ts";

/**
 * The use case behind every OTLP listener. It does not keep `request` after the call, so the memory
 * may then be freed.
 */
export interface TraceReceiver {
  /** Returns the receipt; a promise of it if the spans must first reach the disk. */
  receive(request: Uint8Array): Receipt | Promise<Receipt>;
  /** Counts a request that a listener refused before `receive`, or for which `receive` threw. */
  turnedAway?(outcome: "malformed" | "too_large" | "failed"): void;
}
