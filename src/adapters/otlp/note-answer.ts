import type { ProblemProtocol } from "../../domain/problem-reason.ts";
import type { ProblemLog } from "../../ports/problem-log.ts";
import type { Answer } from "./export-response.ts";

/** Who sent a request, and to which listener. */
export interface Sender {
  readonly protocol: ProblemProtocol;
  readonly address: string;
}

/** Records what an answer refuses or discards; other outcomes are recorded where they are found. */
export function noteAnswer(problems: ProblemLog, answer: Answer, sender: Sender): void {
  switch (answer.outcome) {
    case "accepted":
      if (answer.unknown === undefined) return;
      return problems.note({ ...sender, reason: "unknown_fields", detail: answer.unknown });
    case "malformed":
      return problems.note({
        ...sender,
        reason: answer.problem ?? "malformed",
        detail: answer.message,
      });
    case "too_large":
      return problems.note({ ...sender, reason: "too_large", detail: answer.message });
    case "partly_rejected":
      return problems.note({
        ...sender,
        reason: "rejected",
        count: answer.rejectedSpans,
        detail: answer.message,
      });
    case "refused":
      return problems.note({ ...sender, reason: "buffer_full" });
    case "stopping":
      return problems.note({ ...sender, reason: "stopping" });
    default:
  }
}
