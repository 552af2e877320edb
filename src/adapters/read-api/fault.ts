import type { Logger } from "../../ports/logger.ts";
import { problemResponse } from "./problem.ts";

/** A fault of ours: the log gets what happened, the peer only that it did. */
export function answerFault(logger: Logger, error: unknown): Response {
  logFault(logger, error);
  return problemResponse({ status: 500, detail: "a fault of the server; its log says more" });
}

export function logFault(logger: Logger, error: unknown): void {
  logger.error("api_failed", { error: error instanceof Error ? error.stack : String(error) });
}
