import type { Mistake } from "./mistake.ts";
import { concealUrl, type ForwardEndpoint } from "./endpoint.ts";
import { forwardEndpoint } from "./forward.ts";
import type { Settings } from "./variables.ts";
import { isLoopback, withoutBrackets } from "../domain/text/host-address.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** Where the runtime and grpc-js look for a proxy: the first group of which one is set decides. */
interface ProxyRule {
  readonly groups: readonly (readonly string[])[];
  readonly schemes: readonly string[];
  readonly bound: string;
}

const OF_HTTP = ["HTTP_PROXY", "http_proxy"];
const OF_HTTPS = ["HTTPS_PROXY", "https_proxy"];
const OF_ALL = ["ALL_PROXY", "all_proxy"];
const EXCEPTION = "or the upstream's host must be in NO_PROXY";

const HTTP_SCHEMES = {
  schemes: ["http:", "https:"],
  bound: `a proxy of http: or https: (no socks), ${EXCEPTION}`,
};
const GRPC_RULE: ProxyRule = {
  groups: [["grpc_proxy"], ["https_proxy"], ["http_proxy"]],
  schemes: ["http:"],
  bound: `a proxy of http: (no socks) for gRPC, ${EXCEPTION.toLowerCase()}`,
};

/** Proxies of the environment that spans would have to go through, and cannot. */
export function proxyMistakes(env: ProxyEnvironment, settings: Settings): Mistake[] {
  const endpoint = forwardEndpoint(settings);
  if (endpoint === undefined || endpoint.protocol === "file") return [];
  if (isLoopback(endpoint.host) || isExcepted(env, endpoint)) return [];
  const { groups, schemes, bound } = ruleFor(endpoint);
  const deciding = groups.find((names) => names.some((name) => env[name])) ?? [];
  return deciding
    .filter((name) => !schemes.includes(schemeOf(env[name] ?? "")))
    .map((variable) => ({ variable, value: quotePeerText(concealUrl(env[variable]!)), bound }));
}

function ruleFor({ protocol, isSecure }: NetworkEndpoint): ProxyRule {
  if (protocol === "grpc") return GRPC_RULE;
  return { groups: [isSecure ? OF_HTTPS : OF_HTTP, OF_ALL], ...HTTP_SCHEMES };
}

type NetworkEndpoint = Exclude<ForwardEndpoint, { protocol: "file" }>;

/** A proxy without a scheme is one of HTTP; an empty one is none. */
function schemeOf(text: string): string {
  const [scheme] = /^[a-z][a-z\d+.-]*:(?=\/\/)/i.exec(text) ?? [];
  return scheme?.toLowerCase() ?? "http:";
}

/** Domains with what is below them, hosts, or all. */
function isExcepted(env: ProxyEnvironment, { host, port }: NetworkEndpoint): boolean {
  const listed = [env["NO_PROXY"], env["no_proxy"], env["no_grpc_proxy"]].join(",").split(",");
  const name = withoutBrackets(host);
  return listed
    .map((entry) => withoutBrackets(entry.trim().toLowerCase()).replace(/^\*?\./, ""))
    .filter((entry) => entry !== "")
    .some((entry) => ["*", name, `${host}:${port}`].includes(entry) || name.endsWith(`.${entry}`));
}
