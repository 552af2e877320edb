import { type Receipt, zeroAmounts } from "../../../src/domain/receipt.ts";
import type { ReceiptAnswer } from "../../../src/adapters/otlp/export-response.ts";
import type { TraceReceiver } from "../../../src/ports/trace-receiver.ts";

/** Keeps a copy of every request and returns `answer()`, by default `accepted`. */
export class GrpcFakeReceiver implements TraceReceiver {
  readonly requests: Buffer[] = [];
  /** The outcomes given to `turnedAway`, in order. */
  readonly turnedAwayAs: string[] = [];
  private readonly views: Uint8Array[] = [];
  answer: () => ReceiptAnswer = () => ({ outcome: "accepted" });

  receive(request: Uint8Array): Receipt {
    this.requests.push(Buffer.from(request));
    this.views.push(request);
    return Object.assign({}, this.answer(), { amounts: zeroAmounts() });
  }

  turnedAway(outcome: string): void {
    this.turnedAwayAs.push(outcome);
  }

  /** Returns the lengths of the requests now: 0 when their memory was released. */
  lengthsLater(): number[] {
    return this.views.map(({ length }) => length);
  }
}
