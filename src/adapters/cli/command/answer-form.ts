import { FILE_ENDINGS, type FileFormat, formatOfPath } from "../../../domain/text/file-format.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { type CommandRun, isGiven, valueOf } from "./command-run.ts";
import type { TextStream } from "../output/text-stream.ts";

export const JSON_TYPE = "application/json";
export const NDJSON_TYPE = "application/x-ndjson";
export const PROTOBUF_TYPE = "application/x-protobuf";

/** The format of a file: `bare` is one request without a length. */
export type OutFormat = FileFormat | "bare";

/** The form in which the spans of a response are printed or saved. */
export type AnswerForm =
  | { readonly kind: "pretty" | "ndjson" | "json" | "otlp" }
  | { readonly kind: "file"; readonly path: string; readonly format: OutFormat };

/** Selects the form. Throws a failure if the options contradict each other. */
export function answerForm(run: CommandRun): AnswerForm {
  const [isJson, isOtlp] = [isGiven(run, "json"), isGiven(run, "otlp")];
  const path = valueOf(run, "out");
  if (isJson && isOtlp) throw usageFailure("--json and --otlp cannot be combined");
  if (path === "-") throw usageFailure(`--out "-" is not a file; ${WITHOUT_OUT}`);
  if (path !== undefined) return { kind: "file", path, format: fileFormat(run, path) };
  if (isGiven(run, "format")) throw usageFailure("--format requires --out FILE");
  if (isJson) return { kind: "json" };
  if (!isOtlp) return { kind: run.stdout.isTerminal ? "pretty" : "ndjson" };
  if (!run.stdout.isTerminal) return { kind: "otlp" };
  throw usageFailure("--otlp prints bytes, not text for a terminal: use --out FILE or a pipe");
}

const WITHOUT_OUT = "without --out, spans go to standard output";

function fileFormat(run: CommandRun, path: string): OutFormat {
  const format = valueOf(run, "format");
  const isOtlp = isGiven(run, "otlp");
  if (format !== undefined && (isOtlp || isGiven(run, "json"))) {
    throw usageFailure("--format cannot be combined with --json or --otlp");
  }
  if (isOtlp) return "bare";
  if (isGiven(run, "json") || format === "json") return "json";
  if (format === "proto") return "proto";
  if (format !== undefined) throw usageFailure("--format must be json or proto");
  const ofEnding = formatOfPath(path);
  if (ofEnding !== undefined) return ofEnding;
  throw usageFailure(
    `--out needs a file name that ends in ${FILE_ENDINGS.join(", ")}, or --format json or proto`,
  );
}

export function usageFailure(message: string): CommandFailure {
  return new CommandFailure(EXIT_CODE.badUsage, message);
}

export const MEDIA_TYPE_OF_FORM: Readonly<Record<AnswerForm["kind"], string>> = {
  pretty: NDJSON_TYPE,
  ndjson: NDJSON_TYPE,
  json: JSON_TYPE,
  otlp: PROTOBUF_TYPE,
  // Protobuf can be split between two ResourceSpans and made into lines; a JSON document cannot.
  file: PROTOBUF_TYPE,
};

/**
 * Characters that JSON allows in strings, but that a terminal would interpret as commands or as a
 * change of text direction. Line ends and tabs stay, because they separate values.
 */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Copies the bytes of a response. Resolves to false once the reader has closed the pipe. */
export async function copyToOutput(
  { stdout }: CommandRun,
  chunks: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const write = stdout.isTerminal ? safeJsonWriter(stdout) : stdout.write;
  for await (const chunk of chunks) {
    if (!write(chunk)) return false;
  }
  return true;
}

/** Prints a JSON value as one line. */
export function writeJson({ stdout }: CommandRun, value: unknown): boolean {
  const text = `${JSON.stringify(value)}\n`;
  return stdout.write(stdout.isTerminal ? escapeForTerminal(text) : text);
}

/** Escapes unsafe characters, which does not change the meaning of JSON. */
export function escapeForTerminal(json: string): string {
  return json.replaceAll(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, at) => unitEscape(character.charCodeAt(at))).join(
      "",
    ),
  );
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}

function safeJsonWriter(stdout: TextStream): (chunk: Uint8Array) => boolean {
  const decoder = new TextDecoder();
  return (chunk) => stdout.write(escapeForTerminal(decoder.decode(chunk, { stream: true })));
}
