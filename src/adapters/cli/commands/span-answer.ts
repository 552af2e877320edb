import { answerForm, MEDIA_TYPE_OF_FORM } from "../output/answer-form.ts";
import { type ApiQuestion, askForSuccess, bodyOf, linesOf } from "../api/ask-api.ts";
import { CommandFailure } from "../command/command-failure.ts";
import { type CommandRun, paletteOf, tell } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../command/exit-code.ts";
import { saveSpans } from "../files/save-spans.ts";
import { copyToOutput } from "../output/json-output.ts";
import { type ShownSpan, spanFromLine } from "../render/shown-span.ts";
import { traceView } from "../render/trace-view.ts";
import { rowPrinter } from "../output/row-printer.ts";
import {
  firstSpanMeter,
  type MeteredForm,
  type SpanMeter,
  wholeMeter,
} from "../output/span-meter.ts";

export interface SpanPlan {
  readonly question: ApiQuestion;
  /** On a terminal: as trees, not as rows. */
  readonly isTree: boolean;
  readonly exitCodeWhenEmpty: ExitCode;
  /** What to say then. */
  readonly emptyText: string;
  /** Where the answer ends though nobody has asked it to; told when it does. */
  readonly unaskedLimit?: { readonly spans: number; readonly text: string };
  readonly asFailure?: (response: Response) => Promise<CommandFailure>;
}

/** What was handed on. */
interface Handed {
  readonly spans: number;
  readonly hasReader: boolean;
}

/** Asks for spans and hands them on, in the form that options and terminal decide. */
export async function answerSpans(run: CommandRun, plan: SpanPlan): Promise<ExitCode> {
  const form = answerForm(run);
  const accept = MEDIA_TYPE_OF_FORM[form.kind];
  const ask = (signal?: AbortSignal): Promise<Response> => {
    const question = { ...plan.question, accept, ...(signal === undefined ? {} : { signal }) };
    return askForSuccess(run, question, plan.asFailure);
  };
  const { spans, hasReader } =
    form.kind === "file"
      ? { spans: await saveSpans(run, form, ask), hasReader: true }
      : form.kind === "pretty"
        ? await showSpans(run, await ask(), plan.isTree)
        : await copySpans(run, await ask(), { ...plan, form: form.kind });
  return conclude(run, plan, { spans, hasReader });
}

/** In a pipe too, for an exit code alone tells little; but not of what is a success there. */
function conclude(run: CommandRun, plan: SpanPlan, { spans, hasReader }: Handed): ExitCode {
  const { unaskedLimit: limit, exitCodeWhenEmpty, emptyText } = plan;
  if (hasReader && limit !== undefined && spans >= limit.spans) tell(run, limit.text);
  if (spans > 0) return EXIT_CODE.ok;
  if (run.stdout.isTerminal || exitCodeWhenEmpty !== EXIT_CODE.ok) tell(run, emptyText);
  return exitCodeWhenEmpty;
}

async function copySpans(
  run: CommandRun,
  response: Response,
  { unaskedLimit, form }: Pick<SpanPlan, "unaskedLimit"> & { readonly form: MeteredForm },
): Promise<Handed> {
  const meter = unaskedLimit === undefined ? firstSpanMeter() : wholeMeter(form);
  const hasReader = await copyToOutput(run, metered(bodyOf(response), meter));
  return { spans: hasReader ? meter.count() : 1, hasReader };
}

async function* metered(chunks: AsyncIterable<Uint8Array>, meter: SpanMeter) {
  for await (const chunk of chunks) {
    meter.add(chunk);
    yield chunk;
  }
}

async function showSpans(run: CommandRun, response: Response, isTree: boolean): Promise<Handed> {
  const found = spansIn(response);
  if (isTree) return await showTrees(run, found);
  const printer = rowPrinter(run, run.stdout);
  let spans = 0;
  for await (const span of found) {
    spans += 1;
    if (!printer.add(span)) return { spans, hasReader: false };
  }
  printer.end();
  return { spans, hasReader: true };
}

async function showTrees(run: CommandRun, spans: AsyncIterable<ShownSpan>): Promise<Handed> {
  const { stdout } = run;
  const all = await Array.fromAsync(spans);
  const lines = traceView(all, stdout.columns, paletteOf(run, stdout));
  const hasReader = all.length === 0 || stdout.write(`${lines.join("\n")}\n`);
  return { spans: all.length, hasReader };
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
