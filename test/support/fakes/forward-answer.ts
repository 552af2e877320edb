import type { ForwardAnswer } from "../../../src/adapters/cli/render/stats-table.ts";
import { forwardMember } from "../../../src/adapters/read-api/ledger-answers.ts";
import type { ForwardStatus } from "../../../src/application/forwarding/forward-status.ts";
import { forwardStatus } from "./forward-status.ts";

/** Returns the response of a server whose upstream is temporarily down. */
export function forwardAnswer(parts: Partial<ForwardStatus> = {}): ForwardAnswer {
  const endpoint = "grpcs://collector:4317";
  return forwardMember({ endpoint, status: () => forwardStatus(parts) }) as ForwardAnswer;
}
