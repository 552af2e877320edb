import { JSON_TYPE } from "./media-type.ts";
import { ANSWER_HEADERS } from "./problem.ts";

/** For an answer that is small whatever there is in the buffer. */
export function jsonResponse(
  body: object,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
): Response {
  const all = { ...ANSWER_HEADERS, "Content-Type": JSON_TYPE, ...headers };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers: all });
}
