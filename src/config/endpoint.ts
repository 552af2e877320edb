import { fileURLToPath, pathToFileURL } from "node:url";
import { type FileFormat, formatOfPath } from "../domain/text/file-format.ts";
import { canonicalHost } from "../domain/text/host-address.ts";
import { SecretText } from "../domain/text/quote-text.ts";

/** Where spans go on to, and how they are sent there. */
export type ForwardEndpoint =
  | {
      readonly protocol: "grpc";
      /** IPv6 addresses in brackets. */
      readonly host: string;
      readonly port: number;
      readonly isSecure: boolean;
    }
  | {
      readonly protocol: "http/protobuf";
      /** With its path. */
      readonly url: SecretText;
      readonly host: string;
      readonly port: number;
      readonly isSecure: boolean;
    }
  | { readonly protocol: "file"; readonly path: string; readonly format: FileFormat | undefined };

export type ForwardProtocol = "grpc" | "http/protobuf";

/** Source: OTLP/HTTP request, "Default URL path for traces". */
const TRACES_PATH = "/v1/traces";

/** As an OTLP receiver has it; a URL of HTTP has those of HTTP. */
const GRPC_PORT = 4317;

const HTTP_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "grpc:", "grpcs:"]);

/** Whether it can be one; what else is wrong with it, `endpointOf` and the checks can tell. */
export function isEndpoint(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.hash !== "") return false;
  // `file:spans.jsonl` would be at the root, whatever the working directory.
  if (url.protocol === "file:") return text.toLowerCase().startsWith("file:///") && isFile(url);
  return SCHEMES.has(url.protocol) && canonicalHost(url.hostname) !== undefined;
}

/** The runtime throws at an encoded slash, and takes bytes that are no UTF-8 for another name. */
function isFile(url: URL): boolean {
  const hasPath = url.host === "" && !/%2f/i.test(url.pathname);
  return hasPath && isText(url.pathname) && !/\p{Cc}/u.test(fileURLToPath(url));
}

function isText(encoded: string): boolean {
  try {
    return decodeURIComponent(encoded) !== "";
  } catch {
    return false;
  }
}

/** The scheme says the protocol, unless HTTP's is only how the address is written. */
export function endpointOf(text: string, protocol: ForwardProtocol | ""): ForwardEndpoint {
  const url = new URL(text);
  if (url.protocol === "file:") {
    const path = fileURLToPath(url);
    return { protocol: "file", path, format: formatOfPath(path) };
  }
  const host = canonicalHost(url.hostname) ?? url.hostname;
  const isSecure = ["https:", "grpcs:"].includes(url.protocol);
  const isHttp = url.protocol in HTTP_PORTS;
  const port = Number(url.port) || (HTTP_PORTS[url.protocol] ?? GRPC_PORT);
  if (protocol === "grpc" || !isHttp) return { protocol: "grpc", host, port, isSecure };
  if (url.pathname === "/") url.pathname = TRACES_PATH;
  const secret = new SecretText(url.href, concealUrl(url.href));
  return { protocol: "http/protobuf", url: secret, host, port, isSecure };
}

/** Without the user, the password, and what is behind ? or #; fit for text that is no URL, too. */
export function concealUrl(text: string): string {
  const path = /^file:\/\/\/[^?#]*$/i.exec(text);
  if (path !== null) return text;
  return text.replace(/^([a-z][a-z\d+.-]*:\/\/)?[^]*@/i, "$1***@").replace(/([?#])[^]+$/, "$1***");
}

/** Where it is: scheme, host, port and path, and nothing of a URL that may be secret. */
export function shownEndpoint(endpoint: ForwardEndpoint): string {
  if (endpoint.protocol === "file") return pathToFileURL(endpoint.path).href;
  const { protocol, host, port, isSecure } = endpoint;
  const security = isSecure ? "s" : "";
  if (protocol === "grpc") return `grpc${security}://${host}:${port}`;
  return `http${security}://${host}:${port}${new URL(endpoint.url.reveal()).pathname}`;
}
