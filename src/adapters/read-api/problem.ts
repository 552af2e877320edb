import type { Written } from "../api-messages/message.ts";
import type { problem } from "../api-messages/messages.ts";
import type { Logger } from "../../ports/logger.ts";

/** Describes what went wrong with a request, for a person and for a program. */
export interface Problem {
  readonly status: keyof typeof TITLES;
  /** One sentence that says what is wrong, and what would be right. */
  readonly detail: string;
  /** The parameter of the path or of the query that caused the problem. */
  readonly parameter?: string;
  /** Additional members of the body. */
  readonly members?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  417: "Expectation Failed",
  421: "Misdirected Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

export const PROBLEM_STATUSES = Object.keys(TITLES);

export const PROBLEM_TYPE = "application/problem+json";

/** Returns the answer to a request that failed. Source: RFC 9457, problem details. */
export function problemResponse(problem: Problem): Response {
  const { status, headers } = problem;
  const body = JSON.stringify(problemMembers(problem));
  return new Response(`${body}\n`, { status, headers: { ...PROBLEM_HEADERS, ...headers } });
}

export function problemMembers({
  status,
  detail,
  parameter,
  members,
}: Problem): Written<typeof problem> {
  const toBlame = parameter === undefined ? {} : { parameter };
  return { type: "about:blank", title: TITLES[status], status, detail, ...toBlame, ...members };
}

/** The headers of every response: the buffer may change at any time, and no response is a page. */
export const ANSWER_HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
} as const;

export const PROBLEM_HEADERS = { ...ANSWER_HEADERS, "Content-Type": PROBLEM_TYPE } as const;

/** Asks the client to come back later. */
export const RETRY_SOON = { "Retry-After": "1" } as const;

export const BUSY: Problem = {
  status: 503,
  detail:
    "there is too little memory for this response now; nothing was taken; retry, or ask for " +
    "fewer spans",
  headers: RETRY_SOON,
};

export const STOPPING: Problem = { status: 503, detail: "the server is stopping" };

/** Logs an internal error, and returns an answer that does not show it to the peer. */
export function answerFault(logger: Logger, error: unknown): Response {
  logFault(logger, error);
  return problemResponse({ status: 500, detail: "internal error; see the log of spanring" });
}

export function logFault(logger: Logger, error: unknown): void {
  logger.error("api_failed", { error: error instanceof Error ? error.stack : String(error) });
}

/** Ends the handling of a request early, with a problem as its answer. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}
