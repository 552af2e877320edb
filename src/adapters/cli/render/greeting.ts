import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { Config, ListenAddress } from "../../../config/config.ts";
import type { Palette } from "../output/palette.ts";
import type { ShownSpan } from "./shown-span.ts";

/** What a greeting needs to know about a running server. */
export interface GreetedServer {
  readonly version: string;
  readonly config: Pick<Config, "grpc" | "http" | "api" | "tokens">;
  /** The actual ports, where the configuration may say any. */
  readonly ports: Readonly<Record<"grpc" | "http" | "api", number | "off">>;
}

/**
 * Returns what a person needs to know after starting spanring on a terminal: where it listens, what
 * to export in the application, and what to do next.
 */
export function greetingText(server: GreetedServer, palette: Palette): string {
  const { version, config, ports } = server;
  const rows = [
    ["OTLP/gRPC", urlOf(config.grpc, ports.grpc)],
    ["OTLP/HTTP", urlOf(config.http, ports.http)],
    ["page, API", urlOf(config.api, ports.api)],
  ].flatMap(([name = "", url]) =>
    url === undefined ? [] : [`  ${name.padEnd(NAME_COLUMNS)}  ${url}`],
  );
  const exports = exportsOf(server).map((line) => `  ${palette.word(line)}`);
  const sections = [
    [palette.heading(`spanring ${version} is listening`), ...rows],
    ...(exports.length === 0 ? [] : [["Set in the application:", ...exports]]),
    ["Then see what it emits:", `  ${palette.word("spanring tail")}`],
  ];
  return `${sections.map((lines) => lines.join("\n")).join("\n\n")}\n\n`;
}

const NAME_COLUMNS = "OTLP/gRPC".length;

/** Returns the variables of an application that exports to the server. */
function exportsOf({ config, ports }: GreetedServer): string[] {
  const http = urlOf(config.http, ports.http);
  const endpoint = http ?? urlOf(config.grpc, ports.grpc);
  if (endpoint === undefined || endpoint.startsWith("unix:")) return [];
  const protocol = http === undefined ? "grpc" : "http/protobuf";
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`,
    `export OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}`,
    ...(config.tokens.otlpFile === ""
      ? []
      : ["export OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"]),
  ];
}

/** Returns the URL of a listener on this machine; undefined for one that is off. */
function urlOf(address: ListenAddress | "off", port: number | "off"): string | undefined {
  return address === "off" ? undefined : reachableUrl(address, port);
}

/** Returns the URL, or `unix:/PATH`, at which programs on this machine reach a listener. */
export function reachableUrl({ host, tls }: ListenAddress, port: number | "off"): string {
  if (host.startsWith("unix:")) return host;
  const scheme = tls === undefined ? "http" : "https";
  return `${scheme}://${reachableHost(host)}:${port}`;
}

/** Returns a host to connect to: a listener on all addresses is reached on this machine as well. */
function reachableHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** Announces that the first span has arrived; it may have been evicted since. */
export function firstSpanText(span: ShownSpan | undefined, palette: Palette): string {
  const what = span === undefined ? "" : `: ${named(span, palette)}`;
  return `first span received${what}\n`;
}

function named({ name, service }: ShownSpan, palette: Palette): string {
  return `${palette.word(quotePeerText(name))} of ${quotePeerText(service)}`;
}
