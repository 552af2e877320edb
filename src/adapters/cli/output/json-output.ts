import type { CommandRun } from "../command/command-run.ts";
import type { TextStream } from "./text-stream.ts";

/**
 * What JSON may carry within strings and a terminal may take for a command, or for another order of
 * the text. Line ends and tabs stay: they are between the values.
 */
const UNSAFE = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** The bytes of an answer, as they come. Resolves to false when the reader has left. */
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

/** One JSON value on a line of its own. */
export function writeJson({ stdout }: CommandRun, value: unknown): boolean {
  const text = `${JSON.stringify(value)}\n`;
  return stdout.write(stdout.isTerminal ? escapeForTerminal(text) : text);
}

/** JSON means the same with any character escaped. */
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
