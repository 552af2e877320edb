import {
  forwardMistakes,
  forwardWarnings,
  type OwnAddresses,
  type Listener,
} from "./forward-checks.ts";
import { isLoopbackListener, socketPathOf } from "../domain/text/host-address.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import type { ConfigWarning, Mistake, Settings } from "./variables.ts";

/**
 * Returns the listeners in table order: if two conflict, the later one is reported as the mistake.
 */
function listenersOf(settings: Settings): [Listener, Listener, Listener] {
  const { OTLP_GRPC_PORT, OTLP_HTTP_PORT, API_PORT } = settings;
  return [
    { portVariable: "OTLP_GRPC_PORT", host: settings.OTLP_GRPC_HOST, port: OTLP_GRPC_PORT },
    { portVariable: "OTLP_HTTP_PORT", host: settings.OTLP_HTTP_HOST, port: OTLP_HTTP_PORT },
    { portVariable: "API_PORT", host: settings.API_HOST, port: API_PORT },
  ];
}

/** The beginning of the names of a listener's variables. */
export type ListenerPrefix = "OTLP_GRPC" | "OTLP_HTTP" | "API";

const PREFIXES: readonly ListenerPrefix[] = ["OTLP_GRPC", "OTLP_HTTP", "API"];

/** Returns the conflicts between variables that are valid on their own. */
export function mistakesBetween(settings: Settings, own: OwnAddresses): Mistake[] {
  const listeners = listenersOf(settings);
  return [
    ...listenerMistakes(listeners),
    ...PREFIXES.flatMap((prefix) => tlsMistakes(settings, prefix)),
    ...exposureMistakes(settings),
    ...storageMistakes(settings),
    ...forwardMistakes(settings, listeners, own),
  ];
}

/** Returns the mistakes between the files of one listener, which belong together. */
function tlsMistakes(settings: Settings, prefix: ListenerPrefix): Mistake[] {
  const [cert, key] = [`${prefix}_TLS_CERT_FILE`, `${prefix}_TLS_KEY_FILE`] as const;
  const clientCa = `${prefix}_TLS_CLIENT_CA_FILE` as const;
  const given = [cert, key, clientCa].find((variable) => settings[variable] !== "");
  if (given === undefined) return [];
  if (socketPathOf(settings[`${prefix}_HOST`]) !== undefined) {
    const bound = `unset, because ${prefix}_HOST is a Unix socket`;
    return [{ variable: given, value: quotePeerText(settings[given]), bound }];
  }
  return [cert, key]
    .filter((variable) => settings[variable] === "")
    .map((variable) => ({ variable, value: "", bound: `set, because ${given} is set` }));
}

function listenerMistakes(listeners: readonly Listener[]): Mistake[] {
  if (listeners.every(({ port }) => port === "off")) return [NOTHING_LISTENS];
  return listeners.flatMap((listener, at) => {
    const rival = listeners.slice(0, at).find((earlier) => wantTheSame(earlier, listener));
    if (rival === undefined) return [];
    const { portVariable: variable, host, port } = listener;
    if (socketPathOf(host) === undefined) {
      return [{ variable, value: String(port), bound: `a port other than ${rival.portVariable}` }];
    }
    const [own, its] = [variable, rival.portVariable].map((each) => each.replace(/PORT$/, "HOST"));
    return [{ variable: own!, value: host, bound: `a path other than ${its}` }];
  });
}

const NOTHING_LISTENS: Mistake = {
  variable: "API_PORT",
  value: "off",
  bound: "a port, because OTLP_GRPC_PORT and OTLP_HTTP_PORT are off too",
};

function wantTheSame(one: Listener, other: Listener): boolean {
  const [path, otherPath] = [socketPathOf(one.host), socketPathOf(other.host)];
  if (path !== undefined || otherPath !== undefined) {
    return path === otherPath && one.port !== "off" && other.port !== "off";
  }
  const isTwice = one.port === other.port && one.port !== 0 && one.port !== "off";
  return isTwice && hostsOverlap(one.host, other.host);
}

/** `::` accepts IPv4 as well, unless the system is configured otherwise. */
function hostsOverlap(one: string, other: string): boolean {
  const isIpv4 = !one.includes(":") && !other.includes(":");
  return (
    one === other || [one, other].includes("::") || (isIpv4 && [one, other].includes("0.0.0.0"))
  );
}

/** The variables of which one is enough to start a read API that other machines can reach. */
const API_PROTECTIONS = ["API_AUTH_TOKENS_FILE", "API_TLS_CERT_FILE"] as const;

/** Returns a mistake if anyone who can reach the read API could read and remove spans. */
function exposureMistakes(settings: Settings): Mistake[] {
  const value = settings.API_HOST;
  const isProtected = API_PROTECTIONS.some((variable) => settings[variable] !== "");
  if (!isExposed(settings) || isProtected) return [];
  return [{ variable: "API_HOST", value, bound: A_PROTECTED_ADDRESS }];
}

const A_PROTECTED_ADDRESS =
  `a loopback address such as 127.0.0.1, unless ${API_PROTECTIONS.join(" or ")} is set, or ` +
  "API_INSECURE=true lets anyone who can reach it read and remove spans";

/** Reports whether other machines can reach the read API, and API_INSECURE does not permit it. */
function isExposed({ API_HOST, API_PORT, API_INSECURE }: Settings): boolean {
  return API_PORT !== "off" && !isLoopbackListener(API_HOST) && API_INSECURE !== "true";
}

/** Without a directory, a level has no effect, and a stop would lose what it must keep. */
function storageMistakes(settings: Settings): Mistake[] {
  const given = (["DURABILITY", "DISK_FAILURE"] as const).find(
    (variable) => settings[variable] !== DEFAULT_STORAGE[variable],
  );
  if (given === undefined) return [];
  if (settings.DATA_DIR !== "") return memoryMistakes(settings);
  const bound = `a directory, because ${given} is ${settings[given]}`;
  return [{ variable: "DATA_DIR", value: "", bound }];
}

const DEFAULT_STORAGE = { DURABILITY: "disk", DISK_FAILURE: "refuse" };

/**
 * Without the disk, a full memory evicts spans, which the policy `refuse` rules out. At level
 * `stop`, requests do not need the disk.
 */
function memoryMistakes({ DISK_FAILURE, DURABILITY, OVERFLOW_POLICY }: Settings): Mistake[] {
  const conflict =
    DURABILITY === "stop"
      ? "DURABILITY is stop"
      : OVERFLOW_POLICY === "refuse" && "OVERFLOW_POLICY is refuse";
  if (DISK_FAILURE === "refuse" || conflict === false) return [];
  const bound = `refuse, because ${conflict}`;
  return [{ variable: "DISK_FAILURE", value: DISK_FAILURE, bound }];
}

const FORMER_SPILL =
  "unset: it has been replaced by DATA_DIR, a directory, with DURABILITY=stop; " +
  "spanring send sends the spans of an existing file";

/** Returns a mistake for a variable of earlier versions, whose promise nothing would keep. */
export function removedVariables({
  SHUTDOWN_SPILL_FILE: value,
}: Readonly<Record<string, string | undefined>>): Mistake[] {
  if (value === undefined || value === "") return [];
  return [{ variable: "SHUTDOWN_SPILL_FILE", value: quotePeerText(value), bound: FORMER_SPILL }];
}

/** Returns warnings about valid settings that are probably unintended. */
export function warningsBetween(settings: Settings): ConfigWarning[] {
  return [...sizeWarnings(settings), ...strangerWarnings(settings), ...forwardWarnings(settings)];
}

/** The variables that make a client of the read API prove who it is. */
const API_CREDENTIALS = ["API_AUTH_TOKENS_FILE", "API_TLS_CLIENT_CA_FILE"] as const;

/** Returns a warning about a read API whose certificate hides its answers, but stops no client. */
function strangerWarnings(settings: Settings): ConfigWarning[] {
  const variable = "API_TLS_CERT_FILE";
  const asksClients = API_CREDENTIALS.some((each) => settings[each] !== "");
  if (!isExposed(settings) || asksClients || settings[variable] === "") return [];
  const remedy = `set ${API_CREDENTIALS.join(" or ")}`;
  const message = `anyone who can reach the read API can read and remove spans: ${remedy}`;
  return [{ variable, message }];
}

/** Returns warnings about conflicting sizes, with which some requests could never be stored. */
function sizeWarnings(settings: Settings): ConfigWarning[] {
  const largest = largestRequest(settings);
  if (largest === undefined) return [];
  return (["MAX_BUFFER_BYTES", "MAX_IN_FLIGHT_BYTES"] as const)
    .filter((variable) => settings[variable] < largest.bytes)
    .map((variable) => ({
      variable,
      message: `less than ${largest.variable} (${largest.bytes}): larger requests are refused`,
    }));
}

/** Returns the largest request that a listener accepts. */
function largestRequest(settings: Settings) {
  const sizes = [
    { variable: "GRPC_MAX_MESSAGE_LENGTH", port: settings.OTLP_GRPC_PORT } as const,
    { variable: "HTTP_MAX_BODY_LENGTH", port: settings.OTLP_HTTP_PORT } as const,
  ];
  return sizes
    .filter(({ port }) => port !== "off")
    .map(({ variable }) => ({ variable, bytes: settings[variable] }))
    .toSorted((one, other) => other.bytes - one.bytes)[0];
}
