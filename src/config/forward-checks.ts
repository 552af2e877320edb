import { resolve } from "node:path";
import type { ForwardEndpoint } from "./endpoint.ts";
import { forwardEndpoint } from "./forward.ts";
import type { ConfigWarning, Mistake } from "./mistake.ts";
import { isListenerAt, type Listener } from "./own-listener.ts";
import type { Settings, VariableName } from "./variables.ts";
import { FILE_ENDINGS } from "../domain/text/file-format.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";

/** What this machine is known by; asked only when it matters. */
export type OwnAddresses = () => readonly string[];

/** What is wrong between where spans go on to and how. */
export function forwardMistakes(
  settings: Settings,
  listeners: readonly Listener[],
  own: OwnAddresses,
): Mistake[] {
  const endpoint = forwardEndpoint(settings);
  const retry = settings.FORWARD_RETRY_MAX_MS < settings.FORWARD_RETRY_INITIAL_MS;
  return [
    ...(endpoint === undefined ? [] : endpointMistakes(settings, endpoint)),
    ...(isSpilledOver(settings, endpoint) ? [mistake(settings, "SHUTDOWN_SPILL_FILE", OTHER)] : []),
    ...(endpoint === undefined ? [] : loopMistakes(settings, endpoint, { listeners, own })),
    ...(endpoint === undefined ? [] : tlsMistakes(settings, endpoint)),
    ...(retry ? [mistake(settings, "FORWARD_RETRY_MAX_MS", NOT_SHORTER)] : []),
  ];
}

/** What was delivered there would be read at the next start, and delivered again. */
function isSpilledOver(
  { SHUTDOWN_SPILL_FILE: path }: Settings,
  endpoint: ForwardEndpoint | undefined,
): boolean {
  return path !== "" && endpoint?.protocol === "file" && resolve(path) === endpoint.path;
}

const OTHER = "another file than FORWARD_ENDPOINT's: each start reads and removes it";
const NOT_SHORTER = "no less than FORWARD_RETRY_INITIAL_MS";

function mistake(settings: Settings, variable: VariableName, bound: string): Mistake {
  return { variable, value: quotePeerText(String(settings[variable])), bound };
}

function endpointMistakes(settings: Settings, endpoint: ForwardEndpoint): Mistake[] {
  const { username, password, pathname, search } = new URL(settings.FORWARD_ENDPOINT.reveal());
  const { protocol } = endpoint;
  const hasPath = !["", "/"].includes(pathname) || search !== "";
  const isAtOdds = settings.FORWARD_PROTOCOL !== "" && settings.FORWARD_PROTOCOL !== protocol;
  const found: (readonly [is: boolean, variable: VariableName, bound: string])[] = [
    [username !== "" || password !== "", "FORWARD_ENDPOINT", NO_USER],
    [protocol === "grpc" && hasPath, "FORWARD_ENDPOINT", "without a path when it is of gRPC"],
    [protocol === "file" && search !== "", "FORWARD_ENDPOINT", "without ? when it is a file"],
    [protocol === "file" && endpoint.format === undefined, "FORWARD_ENDPOINT", AN_ENDING],
    [isAtOdds, "FORWARD_PROTOCOL", `unset for an endpoint of ${protocol}`],
    [
      protocol === "grpc" && settings.FORWARD_COMPRESSION === "zstd",
      "FORWARD_COMPRESSION",
      NO_ZSTD,
    ],
    ...(["FORWARD_HEADERS", "FORWARD_HEADERS_FILE"] as const).map(
      (variable) => [protocol === "file" && isSet(settings, variable), variable, NO_HEAD] as const,
    ),
  ];
  return found.flatMap(([is, variable, bound]) => (is ? [mistake(settings, variable, bound)] : []));
}

const NO_USER = "without a user and a password; put what they are for into FORWARD_HEADERS";
const AN_ENDING = `a file that ends in ${FILE_ENDINGS.join(", ")}`;
const NO_ZSTD = "gzip or none for gRPC, which has no zstd";
const NO_HEAD = "unset for a file, which takes no headers";

function isSet(settings: Settings, variable: VariableName): boolean {
  return String(settings[variable]) !== "";
}

/** Spans that come back would go round for ever. */
function loopMistakes(
  settings: Settings,
  endpoint: ForwardEndpoint,
  { listeners, own }: { readonly listeners: readonly Listener[]; readonly own: OwnAddresses },
): Mistake[] {
  if (endpoint.protocol === "file") return [];
  const met = listeners.find((listener) => isListenerAt(listener, endpoint, own));
  if (met === undefined) return [];
  const bound = `somewhere else: ${met.portVariable} listens there, and spans would go in a circle`;
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
  return [mistake(settings, missing, `set, because ${given} is: they belong together`)];
}

function tlsForNothing(settings: Settings): Mistake[] {
  const useless: VariableName[] = TLS_FILES.filter((variable) => isSet(settings, variable));
  if (settings.FORWARD_TLS_INSECURE === "true") useless.push("FORWARD_TLS_INSECURE");
  const bound = "unset for an endpoint without TLS; use https:// or grpcs://";
  return useless.map((variable) => mistake(settings, variable, bound));
}

/** What says how to forward, and is nothing unless it is said. */
const OF_NO_USE_ALONE = [
  "FORWARD_PROTOCOL",
  "FORWARD_HEADERS",
  "FORWARD_HEADERS_FILE",
  ...TLS_FILES,
] as const satisfies VariableName[];

export function forwardWarnings(settings: Settings): ConfigWarning[] {
  const endpoint = forwardEndpoint(settings);
  if (endpoint === undefined) {
    return OF_NO_USE_ALONE.filter((variable) => isSet(settings, variable)).map((variable) => ({
      variable,
      message: "of no use: FORWARD_ENDPOINT is not set, so nothing is forwarded",
    }));
  }
  const isGrpcPort = endpoint.protocol === "http/protobuf" && endpoint.port === 4317;
  const isInsecure = settings.FORWARD_TLS_INSECURE === "true";
  return [
    ...(isGrpcPort ? [{ variable: "FORWARD_ENDPOINT", message: PORT_OF_GRPC }] : []),
    ...(isInsecure ? [{ variable: "FORWARD_TLS_INSECURE", message: ANYBODY }] : []),
  ];
}

const PORT_OF_GRPC = "4317 is the port of OTLP/gRPC: use grpc://, or FORWARD_PROTOCOL=grpc";
const ANYBODY = "no certificate is checked: whoever answers gets the spans and the headers";
