import type { SpanReader } from "../../application/span-reader.ts";
import { checkBrowser } from "./browser-guard.ts";
import { ANSWER_HEADERS, type Problem, problemResponse } from "./problem.ts";
import { checkParameterNames } from "./query.ts";
import { answerSpans, type SpanAnswerParts } from "./span-answer.ts";

export type Readiness = "starting" | "ready" | "stopping";

export interface RouteContext extends SpanAnswerParts {
  readonly buffer: SpanReader;
  readonly readiness: () => Readiness;
  readonly uptimeMs: () => number;
  readonly version: string;
  readonly isLoopbackOnly: boolean;
}

interface Route {
  /** A route that answers GET answers HEAD too; Bun leaves the body out. */
  readonly method: "GET" | "POST";
  readonly parameters: readonly string[];
  readonly answer: (context: RouteContext, request: ParsedRequest) => Response;
}

interface ParsedRequest {
  readonly query: URLSearchParams;
  readonly accept: string | null;
}

const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["/healthz", { method: "GET", parameters: [], answer: answerHealth }],
  ["/readyz", { method: "GET", parameters: [], answer: answerReadiness }],
  ["/api/stats", { method: "GET", parameters: [], answer: answerStats }],
  ["/api/spans", { method: "GET", parameters: ["limit"], answer: answerPeek }],
  ["/api/spans/take", { method: "POST", parameters: ["limit"], answer: answerTake }],
]);

/** Every answer of the read API. Throws only for a fault of ours. */
export function answerRequest(context: RouteContext, request: Request): Response {
  // A client of HTTP/1.0 may leave out Host, and then the URL is only a path.
  const url = URL.parse(request.url, "http://localhost");
  if (url === null) return problemResponse(BAD_HOST);
  const { pathname, searchParams: query } = url;
  const refusal = checkBrowser(request.headers, context.isLoopbackOnly);
  if (refusal !== undefined) return problemResponse(refusal);
  const route = ROUTES.get(pathname);
  if (route === undefined) return problemResponse(NO_SUCH_PATH);
  const problem =
    checkMethod(route, request.method) ?? checkParameterNames(query, route.parameters);
  if (problem !== undefined) return problemResponse(problem);
  return route.answer(context, { query, accept: request.headers.get("accept") });
}

const BAD_HOST: Problem = { status: 400, detail: "Host must be a name, or a name and a port" };

const NO_SUCH_PATH: Problem = {
  status: 404,
  detail: `there is nothing at this path; there is ${[...ROUTES.keys()].join(", ")}`,
};

function checkMethod({ method }: Route, asked: string): Problem | undefined {
  const allowed = method === "GET" ? ["GET", "HEAD"] : [method];
  if (allowed.includes(asked)) return undefined;
  const detail = `this path takes ${allowed.join(" and ")}`;
  return { status: 405, detail, headers: { Allow: allowed.join(", ") } };
}

function answerHealth(): Response {
  return jsonResponse({ status: "alive" });
}

function answerReadiness({ readiness }: RouteContext): Response {
  const status = readiness();
  return jsonResponse({ status }, status === "ready" ? 200 : 503);
}

function answerStats({ buffer, uptimeMs, version }: RouteContext): Response {
  const { spans, bytes, capacity, sequence } = buffer.stats();
  const uptime_seconds = Math.round(uptimeMs()) / 1000;
  return jsonResponse({ spans, bytes, capacity, sequence, uptime_seconds, version });
}

function answerPeek(context: RouteContext, request: ParsedRequest): Response {
  return answerSpans(context, { ...request, read: (limit) => context.buffer.peek(limit) });
}

function answerTake(context: RouteContext, request: ParsedRequest): Response {
  return answerSpans(context, { ...request, read: (limit) => context.buffer.take(limit) });
}

function jsonResponse(body: object, status = 200): Response {
  const headers = { ...ANSWER_HEADERS, "Content-Type": "application/json" };
  return new Response(`${JSON.stringify(body)}\n`, { status, headers });
}
