import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { Config } from "../../../config/config.ts";
import type { Palette } from "../output/palette.ts";
import { endpointsOf, exporterVariables, type ListeningServer } from "./endpoints.ts";
import type { ShownSpan } from "./shown-span.ts";

/** What a greeting needs to know about a running server. */
export interface GreetedServer extends ListeningServer {
  readonly version: string;
  readonly config: Pick<Config, "grpc" | "http" | "api" | "tokens">;
}

/**
 * Returns what a person needs to know after starting spanring on a terminal: where it listens, what
 * to export in the application, and what to do next.
 */
export function greetingText(server: GreetedServer, palette: Palette): string {
  const { version } = server;
  const { grpc, http, api } = endpointsOf(server);
  const rows = [
    ["OTLP/gRPC", grpc],
    ["OTLP/HTTP", http],
    ["page, API", api],
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
function exportsOf(server: GreetedServer): string[] {
  const variables = Object.entries(exporterVariables(endpointsOf(server)));
  if (variables.length === 0) return [];
  const { otlpFile } = server.config.tokens;
  return [
    ...variables.map(([name, value]) => `export ${name}=${value}`),
    ...(otlpFile === "" ? [] : ["export OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN"]),
  ];
}

/** Announces that the first span has arrived; it may have been evicted since. */
export function firstSpanText(span: ShownSpan | undefined, palette: Palette): string {
  const what = span === undefined ? "" : `: ${named(span, palette)}`;
  return `first span received${what}\n`;
}

function named({ name, service }: ShownSpan, palette: Palette): string {
  return `${palette.word(quotePeerText(name))} of ${quotePeerText(service)}`;
}
