import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";

const OUR_FAULT: Receipt = { outcome: "failed", message: "a fault of the server; send it again" };

export interface SafelyParts {
  readonly receiver: TraceReceiver;
  /** The receiver threw: a fault of ours. The error carries nothing of the request. */
  readonly failed: (error: unknown) => void;
}

/** Never throws: what the receiver throws is told, and the sender may try again. */
export function receiveSafely(request: Uint8Array, { receiver, failed }: SafelyParts): Receipt {
  try {
    return receiver.receive(request);
  } catch (error) {
    failed(error);
    receiver.turnedAway?.("failed");
    return OUR_FAULT;
  }
}

type Refusal = Extract<Receipt, { outcome: "malformed" | "too_large" }>;

/** The answer to what never became a request: it counts all the same. */
export function turnAway<Refused extends Pick<Refusal, "outcome">>(
  refusal: Refused,
  { receiver }: Pick<SafelyParts, "receiver">,
): Refused {
  receiver.turnedAway?.(refusal.outcome);
  return refusal;
}
