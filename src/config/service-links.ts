import type { ConfigWarning } from "./mistake.ts";
import { VARIABLES } from "./variables.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** As in `API_PORT=tcp://10.96.0.7:80`. */
const LINK = /^(tcp|udp|sctp):\/\/\S+:\d{1,5}$/;

/** The others that each Service gives: `API_SERVICE_HOST`, `API_PORT_80_TCP_ADDR` and so on. */
const LINK_NAME = /_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_|$)/;

/** The variables of ours that a Service of Kubernetes can give another meaning. */
const PORTS = ["OTLP_GRPC_PORT", "OTLP_HTTP_PORT", "API_PORT"] as const;

/**
 * Returns the environment without what Kubernetes puts into every pod of a namespace for each of
 * its Services, and warnings for those whose names are ours. Source: Kubernetes, "Service",
 * environment variables.
 */
export function withoutServiceLinks(env: Variables): {
  readonly env: Variables;
  readonly warnings: ConfigWarning[];
} {
  const entries = Object.entries(env).filter((entry) => !isServiceLink(entry));
  return {
    env: Object.fromEntries(entries),
    warnings: PORTS.flatMap((name) => ignored(name, env)),
  };
}

function isServiceLink([name, value = ""]: [string, string | undefined]): boolean {
  return (name.endsWith("_PORT") && LINK.test(value)) || LINK_NAME.test(name);
}

function ignored(variable: (typeof PORTS)[number], env: Variables): ConfigWarning[] {
  const value = env[variable] ?? "";
  if (!LINK.test(value)) return [];
  const service = variable
    .replace(/_PORT$/, "")
    .replaceAll("_", "-")
    .toLowerCase();
  const cause = `Kubernetes sets ${quotePeerText(value)} for a Service named ${service}`;
  const remedy = `Set ${variable}, or enableServiceLinks: false in the pod`;
  const message = `ignored: ${cause}; the port is ${VARIABLES[variable].unset}. ${remedy}`;
  return [{ variable, message }];
}
