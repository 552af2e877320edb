import type { Receipt } from "../../domain/receipt.ts";
import type { TraceReceiver } from "../../ports/trace-receiver.ts";
import type { UnsupportedSignal } from "../../application/receiving/unsupported-signals.ts";
import type { ProblemProtocol } from "../../domain/problem-reason.ts";
import type { Problem, ProblemLog } from "../../ports/logger.ts";
import type { Answer } from "./export-response.ts";

const OUR_FAULT: Receipt = { outcome: "failed", message: "internal error; retry later" };

export interface SafelyParts {
  readonly receiver: TraceReceiver;
  /**
   * Called when the receiver threw, which is a fault of ours. The error contains nothing of the
   * request.
   */
  readonly failed: (error: unknown) => void;
}

/**
 * Receives a request. If the receiver throws, reports the error and answers that the sender may
 * retry.
 */
export function receiveSafely(
  request: Uint8Array,
  { receiver, failed }: SafelyParts,
): Receipt | Promise<Receipt> {
  const fail = (error: unknown): Receipt => {
    failed(error);
    receiver.turnedAway?.("failed");
    return OUR_FAULT;
  };
  try {
    const receipt = receiver.receive(request);
    return receipt instanceof Promise ? receipt.catch(fail) : receipt;
  } catch (error) {
    return fail(error);
  }
}

type Refusal = Extract<Receipt, { outcome: "malformed" | "too_large" }>;

/** Counts a body that could not become a request, and returns the answer. */
export function turnAway<Refused extends Pick<Refusal, "outcome">>(
  refusal: Refused,
  { receiver }: Pick<SafelyParts, "receiver">,
): Refused {
  receiver.turnedAway?.(refusal.outcome);
  return refusal;
}

/** The sender of a request, and the listener that it used. */
interface Sender {
  readonly protocol: ProblemProtocol;
  /** Its address is asked for only if there is something to record, because that may cost. */
  readonly peer: { readonly address: string };
  /** The signal; absent for traces. Faults of other signals cost no spans. */
  readonly signal?: UnsupportedSignal | undefined;
}

/** Records what an answer refuses or discards; other outcomes are recorded where they occur. */
export function noteAnswer(
  problems: ProblemLog,
  answer: Answer,
  { protocol, peer, signal }: Sender,
): void {
  const problem = problemOf(answer);
  if (problem === undefined) return;
  const reason = signal === undefined ? problem.reason : (`unsupported_${signal}` as const);
  problems.note({ protocol, address: peer.address, ...problem, reason });
}

function problemOf(answer: Answer): Omit<Problem, "protocol" | "address"> | undefined {
  switch (answer.outcome) {
    case "accepted":
      if (answer.unknown === undefined) return undefined;
      return { reason: "unknown_fields", detail: answer.unknown };
    case "malformed":
      return { reason: answer.problem ?? "malformed", detail: answer.message };
    case "malformed_frame":
      return { reason: "malformed", detail: answer.message };
    case "unsupported_encoding":
      return { reason: "unsupported_encoding" };
    case "too_large":
      return { reason: "too_large", detail: answer.message };
    case "partly_rejected":
      return { reason: "rejected", count: answer.rejectedSpans, detail: answer.message };
    case "failed":
      // An internal error is recorded where it occurs.
      return "retryAfterMs" in answer ? { reason: "disk_failed" } : undefined;
    case "refused":
      return { reason: "buffer_full" };
    case "unsupported":
      return { reason: `unsupported_${answer.signal}` };
    case "stopping":
      return { reason: "stopping" };
    default:
      return undefined;
  }
}
