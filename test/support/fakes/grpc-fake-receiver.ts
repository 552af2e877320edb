import type { Receipt } from "../../../src/domain/receipt.ts";
import type { TraceReceiver } from "../../../src/ports/trace-receiver.ts";

/** Keeps a copy of every request, and answers as it is told to; at first, that it accepted. */
export class GrpcFakeReceiver implements TraceReceiver {
  readonly requests: Buffer[] = [];
  /** Told of by `turnedAway`, in order. */
  readonly turnedAwayAs: string[] = [];
  private readonly views: Uint8Array[] = [];
  answer: () => Receipt = () => ({ outcome: "accepted" });

  receive(request: Uint8Array): Receipt {
    this.requests.push(Buffer.from(request));
    this.views.push(request);
    return this.answer();
  }

  turnedAway(outcome: string): void {
    this.turnedAwayAs.push(outcome);
  }

  /** What is left of the views that were handed in: 0 when their memory was given back. */
  lengthsLater(): number[] {
    return this.views.map(({ length }) => length);
  }
}
