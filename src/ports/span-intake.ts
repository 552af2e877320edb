import type { Appended, ServiceAmount, SpanAmount } from "../domain/buffered-spans.ts";
import type { WalkedRequest } from "../domain/wire/walked-request.ts";

/** Takes in spans. */
export interface SpanAppender {
  /** Takes a request that was walked without a fault, and the amounts that were rejected of it. */
  append(walked: WalkedRequest, rejected?: readonly ServiceAmount[]): Appended;
}

/** Tells whether spans fit in. */
export interface RoomCheck {
  /** Reports whether a request of this many spans and bytes evicts nothing. */
  hasRoom(request: SpanAmount): boolean;
}

/** Tells how full the buffer is. */
export interface FillLevel {
  /** Returns a share from 0 to 1: of spans or of bytes, whichever has less room left. */
  usedShare(): number;
}
