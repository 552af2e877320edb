import { NANOS_PER_MS } from "../../domain/time.ts";
import type { Cursor } from "../../domain/cursor.ts";
import { PROCESS_PACE } from "../memory/collection-pace.ts";
import { checkBrowser } from "./browser-guard.ts";
import { answerPage } from "./page/page-answer.ts";
import { goneCursor, readParameters } from "./query.ts";
import { type Problem, ProblemError, problemResponse } from "./problem.ts";
import type { Http2Request } from "./http1/http2-refusal.ts";
import type { ApiRequest, Route, RouteContext } from "./route.ts";
import { ROUTES } from "./routes.ts";
import { API_KEY_HEADER } from "../listening/token-gate.ts";
import { grpcRefusal, isGrpcType } from "../otlp/export-response.ts";

/** The size of a body that is tolerated where none is read: some clients send `{}`. */
const MAX_BODY_BYTES = 1024;

/** Answers a request from the peer at `address`. Rejects only for an internal error. */
export async function answerRequest(
  context: RouteContext,
  request: ApiRequest,
  address: string,
): Promise<Response> {
  PROCESS_PACE.note();
  // The target of OPTIONS may be `*`.
  const url = URL.parse(request.url, "http://localhost");
  if (url === null) return problemResponse(BAD_HOST);
  const misdirected = answerOtlp(context, request, { pathname: url.pathname, address });
  if (misdirected !== undefined) return misdirected;
  const bodyBytes = Number(request.headers.get("content-length"));
  if (bodyBytes > MAX_BODY_BYTES && !takesBody(request)) {
    return problemResponse(TOO_LARGE);
  }
  const refusal = checkBrowser(request, context.isLoopbackOnly);
  if (refusal !== undefined) return problemResponse(refusal);
  const page = await answerPage(request, url.pathname);
  if (page !== undefined) return page;
  const found = findRoute(url.pathname, request.method);
  const isOpen = "route" in found && found.route.isOpen === true;
  const unauthenticated = isOpen ? undefined : await refuseWithoutToken(context, request, address);
  if (unauthenticated !== undefined) return problemResponse(unauthenticated);
  if ("status" in found) return problemResponse(found);
  const { route, path } = found;
  const given = { path, query: url.searchParams };
  const read = readParameters(route, given, BigInt(Date.now()) * NANOS_PER_MS);
  if ("status" in read) return problemResponse(read);
  const gone = goneAfter(context, read.values);
  if (gone !== undefined) return problemResponse(gone);
  try {
    return await route.answer(context, { ...read, request });
  } catch (error) {
    if (error instanceof ProblemError) return problemResponse(error.problem);
    throw error;
  }
}

/**
 * Returns a problem unless the request has a valid token, even for a path that does not exist:
 * strangers learn nothing.
 */
async function refuseWithoutToken(
  { gate }: RouteContext,
  { headers }: ApiRequest,
  address: string,
): Promise<Problem | undefined> {
  if (gate === undefined) return undefined;
  const [authorization, apiKey] = [headers.get("authorization"), headers.get(API_KEY_HEADER)];
  const refusal = gate.refusalOf({ authorization, apiKey, address, protocol: "api" });
  if (refusal === undefined) return undefined;
  await gate.pause(refusal);
  const challenge = { "WWW-Authenticate": refusal.challenge };
  return { status: 401, detail: refusal.message, headers: challenge };
}

/** Checks `after`, which has the same meaning for every route that has it. */
function goneAfter(
  context: RouteContext,
  { after }: { readonly after?: unknown },
): Problem | undefined {
  return after === undefined ? undefined : goneCursor(context, after as Cursor, "after");
}

const TOO_LARGE: Problem = { status: 413, detail: "this path accepts no body" };

const BAD_HOST: Problem = { status: 400, detail: "Host must be a name, or a name and a port" };

/** Holds the routes of one path, and the pattern of their URLs. */
interface RoutedPath {
  readonly path: string;
  readonly pattern: RegExp;
  readonly routes: readonly Route[];
}

const PATHS: readonly RoutedPath[] = [...Map.groupBy(ROUTES, ({ path }) => path)].map(
  ([path, routes]) => ({ path, pattern: patternOf(path), routes }),
);

/** Turns `/api/traces/{trace_id}` into `^/api/traces/(?<trace_id>[^/]+)$`. */
function patternOf(path: string): RegExp {
  const pattern = path.replaceAll(".", String.raw`\.`).replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)");
  return new RegExp(`^${pattern}$`);
}

const NO_SUCH_PATH: Problem = {
  status: 404,
  detail: `no such path; known paths: ${PATHS.map(({ path }) => path).join(", ")}`,
};

/** Reports whether the route of a request reads its body. */
export function takesBody({ method, url }: Pick<ApiRequest, "method" | "url">): boolean {
  const found = findRoute(URL.parse(url, "http://localhost")?.pathname ?? "", method);
  return "route" in found && found.route.bodyType !== undefined;
}

interface FoundRoute {
  readonly route: Route;
  /** The parameters in the path, as written. */
  readonly path: Readonly<Record<string, string>>;
}

function findRoute(pathname: string, method: string): FoundRoute | Problem {
  for (const { pattern, routes } of PATHS) {
    const match = pattern.exec(pathname);
    if (match === null) continue;
    const route = routes.find((each) => methodsOf(each).includes(method));
    return route === undefined ? wrongMethod(routes) : { route, path: { ...match.groups } };
  }
  return NO_SUCH_PATH;
}

function wrongMethod(routes: readonly Route[]): Problem {
  const allowed = routes.flatMap(methodsOf);
  const [last, ...others] = allowed.toReversed();
  const first = others.length === 0 ? "" : `${others.toReversed().join(", ")} and `;
  return {
    status: 405,
    detail: `this path supports only ${first}${last}`,
    headers: { Allow: allowed.join(", ") },
  };
}

function methodsOf({ method }: Route): readonly string[] {
  return method === "GET" ? ["GET", "HEAD"] : [method];
}

/** Matches the end of an exporter's path, whatever its base URL is. */
const OTLP_PATH = /\/v1\/(traces|metrics|logs)$/;

/** Answers OTLP requests, which belong to other ports; returns undefined for any other request. */
export function answerOtlp(
  { problems }: Pick<RouteContext, "problems">,
  { method, headers }: Pick<Request, "method" | "headers">,
  { pathname, address }: { readonly pathname: string; readonly address: string },
): Response | undefined {
  const isGrpc = isGrpcType(headers.get("content-type"));
  if (!isGrpc && !(method === "POST" && OTLP_PATH.test(pathname))) return undefined;
  problems.note({ protocol: "api", reason: "otlp_on_api", address, detail: pathname });
  const detail = `this port serves the read API: ${problems.hint("otlp_on_api")}`;
  return isGrpc ? grpcRefusal(detail) : problemResponse({ status: 421, detail });
}

/** Answers a request of HTTP/2, which only the OTLP ports speak. */
export function answerHttp2(
  context: Pick<RouteContext, "problems">,
  { method, path, contentType }: Http2Request,
  address: string,
): Response {
  const headers = new Headers({ "Content-Type": contentType });
  const [pathname = "/"] = path.split("?", 1);
  const misdirected = answerOtlp(context, { method, headers }, { pathname, address });
  return misdirected ?? problemResponse({ status: 421, detail: "this port speaks HTTP/1.1" });
}
