import type { SpanAmount } from "../domain/buffered-spans.ts";
import type { Lease, LeasePart, Settlement } from "../domain/lease.ts";
import type { LedgerSource, SequenceSource } from "./span-reader.ts";

/** Leases the oldest spans. */
export interface Leaser {
  /** Leases the oldest free spans, at least one; undefined when there are none. */
  lease(limit: SpanAmount): Lease | undefined;
}

/** Ends leases. */
export interface LeaseSettler {
  /** Ends the lease of a part or of all of it; returns how many returned spans were evicted. */
  settle(lease: Lease, settlement: Settlement, part?: LeasePart): number;
}

/** Measures what waits to be forwarded. */
export interface BacklogSource extends SequenceSource {
  /** Returns how many bytes of the capacity are in use, with envelopes and gaps. */
  usedBytes(): number;
}

/** Forwards spans. */
export interface ForwardedBuffer extends Leaser, LeaseSettler, BacklogSource {
  /** Leases the newest free span; undefined when there is none. */
  leaseNewest(): Lease | undefined;
  /** Returns when the oldest buffered span was received; undefined when the buffer is empty. */
  oldestUnixMs(): number | undefined;
}

/** Empties the buffer when spanring stops. */
export interface SpilledBuffer extends Leaser, LedgerSource {}
