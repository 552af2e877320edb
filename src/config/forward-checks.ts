import { hostname, networkInterfaces } from "node:os";
import { type ForwardEndpoint, concealUrl } from "./endpoint.ts";
import { forwardEndpoint } from "./forward.ts";
import type { ConfigWarning, Mistake, Settings, VariableName } from "./variables.ts";
import { saslMistakes, saslWarnings, SASL_VARIABLES } from "./sasl-checks.ts";
import { FILE_ENDINGS } from "../domain/text/file-format.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import {
  isLoopback,
  plainHost,
  socketPathOf,
  withoutBrackets,
} from "../domain/text/host-address.ts";

/** Returns the names and addresses of this machine; called only if needed. */
export type OwnAddresses = () => readonly string[];

/** Returns the mistakes between the endpoint and the other variables of forwarding. */
export function forwardMistakes(
  settings: Settings,
  listeners: readonly Listener[],
  own: OwnAddresses,
): Mistake[] {
  const endpoint = forwardEndpoint(settings);
  const retry = settings.FORWARD_RETRY_MAX_MS < settings.FORWARD_RETRY_INITIAL_MS;
  return [
    ...(endpoint === undefined ? [] : endpointMistakes(settings, endpoint)),
    ...(endpoint === undefined ? [] : loopMistakes(settings, endpoint, { listeners, own })),
    ...(endpoint === undefined ? [] : tlsMistakes(settings, endpoint)),
    ...(endpoint === undefined ? [] : saslMistakes(settings, endpoint)),
    ...(retry ? [mistake(settings, "FORWARD_RETRY_MAX_MS", NOT_SHORTER)] : []),
  ];
}

const NOT_SHORTER = "at least FORWARD_RETRY_INITIAL_MS";

function mistake(settings: Settings, variable: VariableName, bound: string): Mistake {
  return { variable, value: quotePeerText(String(settings[variable])), bound };
}

function endpointMistakes(settings: Settings, endpoint: ForwardEndpoint): Mistake[] {
  // A Kafka URL with several brokers is none for the runtime; `isKafkaUrl()` has checked it.
  const url = URL.parse(settings.FORWARD_ENDPOINT.reveal());
  const { username, password, pathname, search } = url ?? NO_PARTS;
  const { protocol } = endpoint;
  const isSocket = "socketPath" in endpoint && endpoint.socketPath !== undefined;
  const hasPath = !isSocket && (!["", "/"].includes(pathname) || search !== "");
  const isAtOdds = settings.FORWARD_PROTOCOL !== "" && settings.FORWARD_PROTOCOL !== protocol;
  const found: PossibleMistake[] = [
    [username !== "" || password !== "", "FORWARD_ENDPOINT", NO_USER],
    [protocol === "grpc" && hasPath, "FORWARD_ENDPOINT", "without a path for gRPC"],
    [protocol === "file" && search !== "", "FORWARD_ENDPOINT", "without a query for a file"],
    [protocol === "file" && endpoint.format === undefined, "FORWARD_ENDPOINT", AN_ENDING],
    [isAtOdds, "FORWARD_PROTOCOL", `unset for an endpoint of ${protocol}`],
    ...compressionMistakes(settings, endpoint),
    [
      protocol !== "kafka" && settings.FORWARD_KAFKA_KEY !== "none",
      "FORWARD_KAFKA_KEY",
      `none for an endpoint of ${protocol}`,
    ],
    ...(["FORWARD_HEADERS", "FORWARD_HEADERS_FILE"] as const).map(
      (variable) => [protocol === "file" && isSet(settings, variable), variable, NO_HEAD] as const,
    ),
  ];
  return found.flatMap(([is, variable, bound]) => (is ? [mistake(settings, variable, bound)] : []));
}

const NO_PARTS = { username: "", password: "", pathname: "", search: "" };
const NO_USER = "without user and password; set FORWARD_HEADERS instead";
const AN_ENDING = `a file that ends in ${FILE_ENDINGS.join(", ")}`;
const NO_HEAD = "unset for a file, which has no headers";

type PossibleMistake = readonly [is: boolean, variable: VariableName, bound: string];

function compressionMistakes(
  { FORWARD_COMPRESSION: chosen }: Settings,
  { protocol }: ForwardEndpoint,
): PossibleMistake[] {
  const isGrpc = protocol === "grpc" && !["none", "gzip"].includes(chosen);
  const isHttp = protocol === "http/protobuf" && !["none", "gzip", "zstd"].includes(chosen);
  return [
    [isGrpc, "FORWARD_COMPRESSION", `gzip or none for gRPC, which does not support ${chosen}`],
    [
      isHttp,
      "FORWARD_COMPRESSION",
      `gzip, zstd or none for HTTP, which does not support ${chosen}`,
    ],
  ];
}

function isSet(settings: Settings, variable: VariableName): boolean {
  return String(settings[variable]) !== "";
}

/** Returns mistakes if the endpoint is one of our listeners. */
function loopMistakes(
  settings: Settings,
  endpoint: ForwardEndpoint,
  { listeners, own }: { readonly listeners: readonly Listener[]; readonly own: OwnAddresses },
): Mistake[] {
  if (endpoint.protocol === "file") return [];
  const targets: readonly Address[] = endpoint.protocol === "kafka" ? endpoint.brokers : [endpoint];
  const met = listeners.find((each) => targets.some((target) => isListenerAt(each, target, own)));
  if (met === undefined) return [];
  const why = met.portVariable === "API_PORT" ? "for readers only" : "so spans would loop";
  const bound = `somewhere else: ${met.portVariable} listens there, ${why}`;
  return [mistake(settings, "FORWARD_ENDPOINT", bound)];
}

const TLS_FILES = [
  "FORWARD_TLS_CA_FILE",
  "FORWARD_TLS_CERT_FILE",
  "FORWARD_TLS_KEY_FILE",
] as const satisfies VariableName[];

function tlsMistakes(settings: Settings, endpoint: ForwardEndpoint): Mistake[] {
  if (endpoint.protocol === "file" || !endpoint.isSecure) return tlsForNothing(settings);
  const [, cert, key] = TLS_FILES;
  if (isSet(settings, cert) === isSet(settings, key)) return [];
  const [missing, given] = isSet(settings, cert) ? [key, cert] : [cert, key];
  return [mistake(settings, missing, `set, because ${given} is set`)];
}

function tlsForNothing(settings: Settings): Mistake[] {
  const useless: VariableName[] = TLS_FILES.filter((variable) => isSet(settings, variable));
  if (settings.FORWARD_TLS_INSECURE === "true") useless.push("FORWARD_TLS_INSECURE");
  const bound = "unset for an endpoint without TLS; use https://, grpcs:// or kafkas://";
  return useless.map((variable) => mistake(settings, variable, bound));
}

/** Variables that have no effect without an endpoint. */
const NEEDS_ENDPOINT = [
  "FORWARD_PROTOCOL",
  "FORWARD_HEADERS",
  "FORWARD_HEADERS_FILE",
  ...TLS_FILES,
  ...SASL_VARIABLES,
] as const satisfies VariableName[];

export function forwardWarnings(settings: Settings): ConfigWarning[] {
  const endpoint = forwardEndpoint(settings);
  if (endpoint === undefined) {
    return NEEDS_ENDPOINT.filter((variable) => isSet(settings, variable)).map((variable) => ({
      variable,
      message: "has no effect, because FORWARD_ENDPOINT is not set",
    }));
  }
  const isGrpcPort = endpoint.protocol === "http/protobuf" && endpoint.port === 4317;
  const isInsecure = settings.FORWARD_TLS_INSECURE === "true";
  return [
    ...(isGrpcPort ? [{ variable: "FORWARD_ENDPOINT", message: PORT_OF_GRPC }] : []),
    ...(isInsecure ? [{ variable: "FORWARD_TLS_INSECURE", message: UNVERIFIED }] : []),
    ...saslWarnings(settings, endpoint),
  ];
}

const PORT_OF_GRPC = "4317 is the OTLP/gRPC port: use grpc://, or FORWARD_PROTOCOL=grpc";
const UNVERIFIED =
  "certificates are not verified: any server that answers receives spans and headers";

interface Address {
  readonly host: string;
  readonly port: number | "off";
  readonly socketPath?: string | undefined;
}

/** A listener, with its address and the variable of its port. */
export interface Listener extends Address {
  readonly portVariable: "OTLP_GRPC_PORT" | "OTLP_HTTP_PORT" | "API_PORT";
}

/** Returns the names and addresses of this machine, except loopback ones. */
export function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  return [hostname(), ...all.map(({ address }) => address)];
}

/** Reports whether a connection to `target` reaches `listener`. It does no name lookups. */
export function isListenerAt(
  listener: Address,
  target: Address,
  own: () => readonly string[],
): boolean {
  if (target.socketPath !== undefined) return socketPathOf(listener.host) === target.socketPath;
  if (listener.port !== target.port) return false;
  const [listening, wanted] = [listener.host, target.host].map(plainHost) as [string, string];
  if (isLoopback(wanted)) return isLoopback(listening);
  if (!WILDCARDS.has(listening)) return listening === wanted;
  return own().map(plainHost).includes(wanted);
}

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** The variables that the runtime and grpc-js search for a proxy, in order of precedence. */
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
  bound: `an http: or https: proxy (not SOCKS), ${EXCEPTION}`,
};
const GRPC_RULE: ProxyRule = {
  groups: [["grpc_proxy"], ["https_proxy"], ["http_proxy"]],
  schemes: ["http:"],
  bound: `an http: proxy (not SOCKS) for gRPC, ${EXCEPTION.toLowerCase()}`,
};

/** Returns mistakes for proxies in the environment that forwarding cannot use. */
export function proxyMistakes(env: ProxyEnvironment, settings: Settings): Mistake[] {
  const endpoint = forwardEndpoint(settings);
  if (endpoint === undefined || endpoint.protocol === "file") return [];
  // Connections to Kafka never use a proxy.
  if (endpoint.protocol === "kafka") return [];
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

type NetworkEndpoint = Exclude<ForwardEndpoint, { protocol: "file" | "kafka" }>;

/** Returns the scheme of a proxy, by default HTTP; an empty variable means no proxy. */
function schemeOf(text: string): string {
  const [scheme] = /^[a-z][a-z\d+.-]*:(?=\/\/)/i.exec(text) ?? [];
  return scheme?.toLowerCase() ?? "http:";
}

/** Reports whether NO_PROXY contains the host, a parent domain, or `*`. */
function isExcepted(env: ProxyEnvironment, { host, port }: NetworkEndpoint): boolean {
  const listed = [env["NO_PROXY"], env["no_proxy"], env["no_grpc_proxy"]].join(",").split(",");
  const name = withoutBrackets(host);
  return listed
    .map((entry) => withoutBrackets(entry.trim().toLowerCase()).replace(/^\*?\./, ""))
    .filter((entry) => entry !== "")
    .some((entry) => ["*", name, `${host}:${port}`].includes(entry) || name.endsWith(`.${entry}`));
}
