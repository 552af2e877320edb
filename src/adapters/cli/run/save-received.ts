import { querySpans } from "../../../application/querying/query-spans.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { type AnswerForm, answerForm, usageFailure } from "../command/answer-form.ts";
import { type CommandRun, type Receiver, report, valueOf } from "../command/command-run.ts";
import { checkOutFile } from "../files/out-file.ts";
import { saveSpans } from "../files/save-spans.ts";

/** The file for the spans of a run, and its format. */
type SpanFile = Extract<AnswerForm, { kind: "file" }>;

/** Reads `--out` and `--format`. Throws a failure if the file cannot be created. */
export function readSpanFile(run: CommandRun): SpanFile | undefined {
  if (valueOf(run, "out") === "-") throw usageFailure(OUT_TO_OUTPUT);
  const form = answerForm(run);
  if (form.kind !== "file") return undefined;
  checkOutFile(form.path);
  return form;
}

const OUT_TO_OUTPUT =
  '--out "-" is not a file, because standard output is that of the command; ' +
  "give a name, such as spans.jsonl";

/** Saves the spans that were received, oldest first. Without spans, it says so. */
export async function saveReceived(
  run: CommandRun,
  { buffer }: Pick<Receiver, "buffer">,
  file: SpanFile,
): Promise<void> {
  const query = { filter: [], after: 0, limit: Number.MAX_SAFE_INTEGER, newestFirst: false };
  const { request, sequences } = await querySpans(buffer, query);
  if (sequences.length > 0) {
    await saveSpans(run, file, async () => new Response(new Blob([request])));
  } else {
    report(run, `${quotePeerText(file.path)}: not written, because no span was received`);
  }
}
