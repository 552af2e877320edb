import { hashLine, isPlainToken, newToken } from "../../listening/token-list.ts";
import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, isGiven } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";

/** Prints a new token and the line that stands for it in a file, or the line of a given token. */
export async function token(run: CommandRun): Promise<ExitCode> {
  if (isGiven(run, "hash")) {
    run.stdout.write(`${hashLine(await givenToken(run))}\n`);
    return EXIT_CODE.ok;
  }
  const created = newToken();
  run.stdout.write(`${created}\n${hashLine(created)}\n`);
  return EXIT_CODE.ok;
}

/** Limits what is read, because the input may be the wrong one. */
const MAX_INPUT_BYTES = 64 * 1024;

/** Reads a token from standard input, because other users can see the arguments of a program. */
async function givenToken(run: CommandRun): Promise<string> {
  const chunks: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const chunk of run.stdin()) {
    chunks.push(chunk);
    lengthBytes += chunk.length;
    if (lengthBytes > MAX_INPUT_BYTES) break;
  }
  const text = Buffer.concat(chunks).toString().trim();
  if (isPlainToken(text)) return text;
  throw usageFailure("standard input must be one token: visible ASCII characters in one line");
}
