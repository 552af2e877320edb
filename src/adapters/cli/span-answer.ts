import { answerForm, MEDIA_TYPE_OF_FORM } from "./answer-form.ts";
import { type ApiQuestion, askForSuccess, bodyOf, linesOf } from "./api/ask-api.ts";
import { CommandFailure } from "./command-failure.ts";
import { type CommandRun, paletteOf, tell } from "./command-run.ts";
import { EXIT_CODE, type ExitCode } from "./exit-code.ts";
import { saveSpans } from "./files/save-spans.ts";
import { copyToOutput } from "./json-output.ts";
import { type ShownSpan, spanFromLine } from "./render/shown-span.ts";
import { traceView } from "./render/trace-view.ts";
import { rowPrinter } from "./row-printer.ts";

export interface SpanPlan {
  readonly question: ApiQuestion;
  /** On a terminal: as trees, not as rows. */
  readonly isTree: boolean;
  readonly exitCodeWhenEmpty: ExitCode;
  readonly asFailure?: (response: Response) => Promise<CommandFailure>;
}

/** Asks for spans and hands them on, in the form that options and terminal decide. */
export async function answerSpans(run: CommandRun, plan: SpanPlan): Promise<ExitCode> {
  const form = answerForm(run);
  const accept = MEDIA_TYPE_OF_FORM[form.kind];
  const ask = (signal?: AbortSignal): Promise<Response> => {
    const question = { ...plan.question, accept, ...(signal === undefined ? {} : { signal }) };
    return askForSuccess(run, question, plan.asFailure);
  };
  const hasSpans =
    form.kind === "file"
      ? await saveSpans(run, form, ask)
      : form.kind === "pretty"
        ? await showSpans(run, await ask(), plan.isTree)
        : await copyToOutput(run, bodyOf(await ask()));
  if (hasSpans) return EXIT_CODE.ok;
  if (run.stdout.isTerminal) tell(run, "no span");
  return plan.exitCodeWhenEmpty;
}

/** Resolves to whether there was one. */
async function showSpans(run: CommandRun, response: Response, isTree: boolean): Promise<boolean> {
  const spans = spansIn(response);
  if (isTree) return await showTrees(run, spans);
  const printer = rowPrinter(run, run.stdout);
  let hasSpans = false;
  for await (const span of spans) {
    hasSpans = true;
    if (!printer.add(span)) break;
  }
  printer.end();
  return hasSpans;
}

async function showTrees(run: CommandRun, spans: AsyncIterable<ShownSpan>): Promise<boolean> {
  const { stdout } = run;
  const all = await Array.fromAsync(spans);
  const lines = traceView(all, stdout.columns, paletteOf(run, stdout));
  if (all.length > 0) stdout.write(`${lines.join("\n")}\n`);
  return all.length > 0;
}

async function* spansIn(response: Response): AsyncGenerator<ShownSpan> {
  for await (const line of linesOf(bodyOf(response))) {
    if (line === "") continue;
    const span = spanFromLine(line);
    if (span === undefined) throw notNdjson();
    yield span;
  }
}

function notNdjson(): CommandFailure {
  return new CommandFailure(EXIT_CODE.cannotConnect, "the answer is not NDJSON, one span a line");
}
