import { grpcRefusal, isGrpcType } from "../otlp/export-response.ts";
import { problemResponse } from "./problem.ts";
import type { RouteContext } from "./route.ts";

/** The end of the path of an exporter, whatever it was configured with. */
const OTLP_PATH = /\/v1\/(traces|metrics|logs)$/;

/** The answer to OTLP, which is at home at other ports; undefined when this is none. */
export function answerOtlp(
  { problems }: Pick<RouteContext, "problems">,
  { method, headers }: Pick<Request, "method" | "headers">,
  { pathname, address }: { readonly pathname: string; readonly address: string },
): Response | undefined {
  const isGrpc = isGrpcType(headers.get("content-type"));
  if (!isGrpc && !(method === "POST" && OTLP_PATH.test(pathname))) return undefined;
  problems.note({ protocol: "api", reason: "otlp_on_api", address, detail: pathname });
  const detail = `this port has the read API: ${problems.hint("otlp_on_api")}`;
  return isGrpc ? grpcRefusal(detail) : problemResponse({ status: 421, detail });
}
