import type { Receipt } from "../../domain/receipt.ts";
import type { EarlyAnswer, RequestInFlight } from "./request-table.ts";

/** A response that cannot be delivered, because the connection is closed. */
export type Unanswered = Extract<Receipt, { outcome: "malformed" }>;

export const ENDED_EARLY: Unanswered = {
  outcome: "malformed",
  problem: "incomplete",
  message: "the body ended early",
};

const CLOSED_EARLY: Unanswered = {
  outcome: "malformed",
  problem: "incomplete",
  message: "the connection was closed before the request was received",
};

/** A request that waits to be received. */
export interface WaitingRequest {
  readonly inFlight: Pick<RequestInFlight, "earlyAnswer">;
  readonly request: ClosableRequest;
}

/** A request that shows whether its connection, or its stream, is closed. */
export interface ClosableRequest {
  readonly signal: Pick<AbortSignal, "aborted">;
}

/**
 * Returns the response to a request that must not be received, because it is abandoned, or because
 * its connection is closed: its sender gets no response, so it sends the request again, and its
 * spans would be stored twice. Must be called after each wait. A request that does not wait needs
 * no call, and reading its signal for the first time costs a fifth of the processor time of a
 * minimal request.
 *
 * Bun closes a connection of HTTP/1.1 if its end or another request follows before an answer is
 * ready, and aborts the signal at once. There are two exceptions. With TLS, Bun aborts it only when
 * the client has answered the end (`test/quirks/bun-servers.test.ts`), so a pipelined request may
 * still be received. And spans that are being written to disk are stored, whatever follows.
 */
export function answerInstead({
  inFlight,
  request,
}: WaitingRequest): EarlyAnswer | Unanswered | undefined {
  return inFlight.earlyAnswer ?? (request.signal.aborted ? CLOSED_EARLY : undefined);
}
