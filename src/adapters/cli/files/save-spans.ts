import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { openSource } from "../../otlp-files/byte-source.ts";
import { countSpans, faultText } from "../../otlp-files/file-request.ts";
import { frameRequest } from "../../otlp-files/message-frames.ts";
import { requestPieces, splitRequest } from "../../otlp-files/request-split.ts";
import type { AnswerForm, OutFormat } from "../command/answer-form.ts";
import { bodyOf } from "../api/ask-api.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { bytesText, countedText } from "../output/quantities.ts";
import { openOutFile, type OutFile } from "./out-file.ts";

/**
 * Writes the spans of a protobuf response to a file, and resolves to their number. The file is
 * opened before the request, so that no span is taken if the folder cannot be written. Without
 * spans, and after an error, no file is left.
 */
export async function saveSpans(
  run: CommandRun,
  { path, format }: Extract<AnswerForm, { kind: "file" }>,
  ask: (signal: AbortSignal) => Promise<Response>,
): Promise<number> {
  const file = await openOutFile(path);
  try {
    const response = await ask(run.interruption());
    const written = await writeRequests(file, bodyOf(response), format);
    await (written.spans === 0 ? file.abandon() : file.finish());
    const amount = `${countedText(written.spans, "span")}, ${bytesText(written.bytes)}`;
    if (written.spans > 0) report(run, `${quotePeerText(path)}: ${amount}`);
    return written.spans;
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

async function writeRequests(
  file: OutFile,
  chunks: AsyncIterable<Uint8Array>,
  format: OutFormat,
): Promise<{ spans: number; bytes: number }> {
  let [spans, bytes] = [0, 0];
  for await (const piece of splitRequest(openSource(chunks))) {
    const count = "fault" in piece ? faultText(piece) : countSpans(piece);
    if ("fault" in piece || typeof count === "string") throw notTraces(String(count));
    spans += count;
    for (const framed of framesOf(piece, format)) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await file.write(framed);
      bytes += framed.length;
    }
  }
  return { spans, bytes };
}

function* framesOf(piece: Uint8Array, format: OutFormat): Generator<Uint8Array> {
  if (format === "bare") yield piece;
  else for (const part of requestPieces(piece)) yield frameRequest(part, format);
}

function notTraces(reason: string): CommandFailure {
  return new CommandFailure(
    EXIT_CODE.cannotConnect,
    `the response is not a trace request: ${reason}`,
  );
}
