/** What the command line asks for; with no arguments, to serve. */
export type Request =
  | { readonly command: "serve" | "check" | "help" | "version" }
  | { readonly command: "unknown"; readonly argument: string };

const OPTIONS = {
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-V": "version",
  "--check": "check",
} as const;

/** Of several options the most harmless wins, and one that is not known stops them all. */
const PRECEDENCE = ["help", "version", "check"] as const;

export function readArguments(argv: readonly string[]): Request {
  const unknown = argv.find((argument) => !Object.hasOwn(OPTIONS, argument));
  if (unknown !== undefined) return { command: "unknown", argument: unknown };
  const asked = new Set(argv.map((argument) => OPTIONS[argument as keyof typeof OPTIONS]));
  return { command: PRECEDENCE.find((command) => asked.has(command)) ?? "serve" };
}
