import { fileURLToPath, pathToFileURL } from "node:url";
import { type FileFormat, formatOfPath } from "../domain/text/file-format.ts";
import { canonicalHost, isSocketAddress, socketPathOf } from "../domain/text/host-address.ts";
import { SecretText } from "../domain/text/quote-text.ts";
import { isKafkaUrl, type KafkaEndpoint, kafkaEndpoint, shownKafka } from "./kafka-endpoint.ts";

/** The upstream to which spans are forwarded. */
export type ForwardEndpoint =
  | {
      readonly protocol: "grpc";
      /** The host; IPv6 addresses are in brackets. */
      readonly host: string;
      readonly port: number;
      readonly isSecure: boolean;
      /** The path of a Unix socket, to use instead of host and port. */
      readonly socketPath?: string | undefined;
    }
  | {
      readonly protocol: "http/protobuf";
      /** The URL, including the path. */
      readonly url: SecretText;
      readonly host: string;
      readonly port: number;
      readonly isSecure: boolean;
      readonly socketPath?: string | undefined;
    }
  | KafkaEndpoint
  | { readonly protocol: "file"; readonly path: string; readonly format: FileFormat | undefined };

export type ForwardProtocol = "grpc" | "http/protobuf";

/** Source: OTLP/HTTP request, "Default URL path for traces". */
const TRACES_PATH = "/v1/traces";

/** The default port of OTLP/gRPC; HTTP URLs have the default ports of HTTP. */
const GRPC_PORT = 4317;

const HTTP_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

const SCHEMES: ReadonlySet<string> = new Set(["http:", "https:", "grpc:", "grpcs:"]);

/** Reports whether a string is an endpoint; `forward-checks.ts` finds further mistakes. */
export function isEndpoint(text: string): boolean {
  if (text.startsWith("unix:")) return isSocketAddress(text);
  if (/^kafkas?:/i.test(text)) return isKafkaUrl(text);
  const url = URL.parse(text);
  if (url === null || url.hash !== "") return false;
  // `file:spans.jsonl` would refer to the root folder rather than the working folder.
  if (url.protocol === "file:") return text.toLowerCase().startsWith("file:///") && isFile(url);
  return SCHEMES.has(url.protocol) && canonicalHost(url.hostname) !== undefined;
}

/**
 * Reports whether a URL is a file path. It rejects encoded slashes, for which the runtime throws,
 * and bytes that are not UTF-8.
 */
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

/** Parses an endpoint. The scheme determines the protocol, except for an HTTP URL with gRPC. */
export function endpointOf(text: string, protocol: ForwardProtocol | ""): ForwardEndpoint {
  const socketPath = socketPathOf(text);
  if (socketPath !== undefined) return socketEndpoint(socketPath, protocol);
  if (isKafkaUrl(text)) return kafkaEndpoint(text);
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

/** The host that HTTP requires even in requests over a Unix socket. */
const SOCKET_HOST = "localhost";

function socketEndpoint(socketPath: string, protocol: ForwardProtocol | ""): ForwardEndpoint {
  const place = { host: SOCKET_HOST, port: 0, isSecure: false, socketPath };
  if (protocol !== "http/protobuf") return { protocol: "grpc", ...place };
  const url = `http://${SOCKET_HOST}${TRACES_PATH}`;
  return { protocol, url: new SecretText(url, url), ...place };
}

/** Hides the user, password, query and fragment, even in a string that is not a URL. */
export function concealUrl(text: string): string {
  if (isSocketAddress(text)) return text;
  const path = /^file:\/\/\/[^?#]*$/i.exec(text);
  if (path !== null) return text;
  return text.replace(/^([a-z][a-z\d+.-]*:\/\/)?[^]*@/i, "$1***@").replace(/([?#])[^]+$/, "$1***");
}

/** Returns scheme, host, port and path: the parts of a URL that are not secret. */
export function shownEndpoint(endpoint: ForwardEndpoint): string {
  if (endpoint.protocol === "file") return pathToFileURL(endpoint.path).href;
  if (endpoint.protocol === "kafka") return shownKafka(endpoint);
  const { protocol, host, port, isSecure, socketPath } = endpoint;
  if (socketPath !== undefined) return `unix:${socketPath}`;
  const security = isSecure ? "s" : "";
  if (protocol === "grpc") return `grpc${security}://${host}:${port}`;
  return `http${security}://${host}:${port}${new URL(endpoint.url.reveal()).pathname}`;
}
