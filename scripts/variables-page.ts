/**
 * Writes `src/config/README.md` from the table of variables: `bun scripts/variables-page.ts`. A
 * test compares the file with the table.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { VARIABLE_NAMES, VARIABLES } from "../src/config/variables.ts";

export const VARIABLES_PAGE = join(import.meta.dir, "../src/config/README.md");

const INTRODUCTION = `# Environment variables

spanring reads its configuration from the environment, and checks all of it at the start:
\`spanring --check\` shows the values that apply, or lists every mistake. An empty variable counts
as unset. \`spanring help environment\` prints the same table.

Sizes are in bytes, or have the suffix \`KiB\`, \`MiB\` or \`GiB\`. Times are in milliseconds.`;

const CLOSING = `## Notes

Forwarding honours \`HTTPS_PROXY\`, \`HTTP_PROXY\` and \`ALL_PROXY\`; over gRPC \`grpc_proxy\`,
\`https_proxy\` and \`http_proxy\`. SOCKS proxies are not supported. Connections to this machine and
to the hosts in \`NO_PROXY\` are direct. An HTTP URL without a path stands for its \`/v1/traces\`.
The file sink writes lines of OTLP/JSON to a file that ends in \`.jsonl\`, and length-delimited
protobuf to one that ends in \`.binpb\`. \`spanring send\` reads both, and the files of the
Collector's file exporter.

In this folder, \`variables.ts\` is the table, and \`kinds.ts\` has the types of values. After a
change to the table, \`bun scripts/variables-page.ts\` writes this page.`;

/** Returns the page: one row per variable, with a phrase, the default and the range. */
export function variablesPage(): string {
  const rows = VARIABLE_NAMES.map((name) => {
    const { unset, help, bound } = VARIABLES[name];
    return [`\`${name}\``, unset === "" ? "" : `\`${unset}\``, help, bound];
  });
  const body = table(["variable", "default", "meaning", "value"], rows);
  return `${[INTRODUCTION, body, CLOSING].join("\n\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const [first, ...others] = cells.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`,
  );
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [first, rule, ...others].join("\n");
}

if (import.meta.main) writeFileSync(VARIABLES_PAGE, variablesPage());
