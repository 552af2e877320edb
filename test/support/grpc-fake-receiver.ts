import type { Receipt, TraceReceiver } from "../../src/application/receipt.ts";

/** Keeps a copy of every request, and answers as it is told to; at first, that it accepted. */
export class GrpcFakeReceiver implements TraceReceiver {
  readonly requests: Buffer[] = [];
  answer: () => Receipt = () => ({ outcome: "accepted" });

  receive(request: Uint8Array): Receipt {
    this.requests.push(Buffer.from(request));
    return this.answer();
  }
}
