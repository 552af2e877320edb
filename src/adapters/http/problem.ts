/** What went wrong with a request, for a person and for a program. */
export interface Problem {
  readonly status: keyof typeof TITLES;
  /** One sentence: what is wrong, and what would be right. */
  readonly detail: string;
  /** The query parameter that is to blame. */
  readonly parameter?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TITLES = {
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  500: "Internal Server Error",
  503: "Service Unavailable",
} as const;

/** The answer to a request that failed. Source: RFC 9457, problem details. */
export function problemResponse({ status, headers, ...members }: Problem): Response {
  const body = { type: "about:blank", title: TITLES[status], status, ...members };
  return new Response(`${JSON.stringify(body)}\n`, {
    status,
    headers: { ...ANSWER_HEADERS, "Content-Type": "application/problem+json", ...headers },
  });
}

/** For every answer: what is buffered changes with each request, and is never a page to show. */
export const ANSWER_HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
} as const;
