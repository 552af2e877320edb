import { Buffer } from "node:buffer";
import { answerForm, MEDIA_TYPE_OF_FORM, copyToOutput } from "../command/answer-form.ts";
import { type ApiCall, askForSuccess, bodyOf, linesOf } from "../api/ask-api.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, paletteOf, report } from "../command/command-run.ts";
import { saveSpans } from "../files/save-spans.ts";
import { type ShownSpan, spanFromLine, spansFromOtlpJson } from "../render/shown-span.ts";
import { traceView } from "../render/trace-view.ts";
import { rowPrinter } from "../render/span-table.ts";
import { countSpans } from "../../otlp-files/file-request.ts";

export interface SpanPlan {
  readonly call: ApiCall;
  /** Whether a terminal shows trees instead of rows. */
  readonly isTree: boolean;
  readonly exitCodeWhenEmpty: ExitCode;
  /** The message for an empty response. */
  readonly emptyText: string;
  /** The limit that applies if the user has set none, and the message when it is reached. */
  readonly defaultLimit?: { readonly spans: number; readonly text: string };
  readonly asFailure?: (response: Response) => Promise<CommandFailure>;
}

/** The number of printed spans, and whether the reader has kept the pipe open. */
interface SpanOutput {
  readonly spans: number;
  readonly hasReader: boolean;
}

/** Requests spans and prints or saves them in the form that options and terminal select. */
export async function answerSpans(run: CommandRun, plan: SpanPlan): Promise<ExitCode> {
  const form = answerForm(run);
  const accept = MEDIA_TYPE_OF_FORM[form.kind];
  const ask = (signal?: AbortSignal): Promise<Response> => {
    const call = { ...plan.call, accept, ...(signal === undefined ? {} : { signal }) };
    return askForSuccess(run, call, plan.asFailure);
  };
  const { spans, hasReader } =
    form.kind === "file"
      ? { spans: await saveSpans(run, form, ask), hasReader: true }
      : form.kind === "pretty"
        ? await showSpans(run, await ask(), plan.isTree)
        : await copySpans(run, await ask(), { ...plan, form: form.kind });
  return conclude(run, plan, { spans, hasReader });
}

/** Reports an empty response, even in a pipe, unless an empty one is the success. */
function conclude(run: CommandRun, plan: SpanPlan, { spans, hasReader }: SpanOutput): ExitCode {
  const { defaultLimit: limit, exitCodeWhenEmpty, emptyText } = plan;
  if (hasReader && limit !== undefined && spans >= limit.spans) report(run, limit.text);
  if (spans > 0) return EXIT_CODE.ok;
  if (run.stdout.isTerminal || exitCodeWhenEmpty !== EXIT_CODE.ok) report(run, emptyText);
  return exitCodeWhenEmpty;
}

async function copySpans(
  run: CommandRun,
  response: Response,
  { defaultLimit, form }: Pick<SpanPlan, "defaultLimit"> & { readonly form: MeteredForm },
): Promise<SpanOutput> {
  const meter = defaultLimit === undefined ? firstSpanMeter() : wholeMeter(form);
  const hasReader = await copyToOutput(run, metered(bodyOf(response), meter));
  return { spans: hasReader ? meter.count() : 1, hasReader };
}

async function* metered(chunks: AsyncIterable<Uint8Array>, meter: SpanMeter) {
  for await (const chunk of chunks) {
    meter.add(chunk);
    yield chunk;
  }
}

async function showSpans(
  run: CommandRun,
  response: Response,
  isTree: boolean,
): Promise<SpanOutput> {
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

async function showTrees(run: CommandRun, spans: AsyncIterable<ShownSpan>): Promise<SpanOutput> {
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
  return new CommandFailure(
    EXIT_CODE.cannotConnect,
    "the response is not NDJSON with one span per line",
  );
}

/** A counter of spans that reads a response while its bytes are being copied. */
interface SpanMeter {
  add(chunk: Uint8Array): void;
  count(): number;
}

type MeteredForm = "ndjson" | "json" | "otlp";

const HEAD_BYTES = 64;
const NO_SPANS = '{"resourceSpans":[]}';

/** Returns a meter that counts 1 if a response of any size has a span, else 0. */
export function firstSpanMeter(): SpanMeter {
  let head = Buffer.alloc(0);
  return {
    add: (chunk) => {
      if (head.length < HEAD_BYTES) head = Buffer.concat([head, chunk.subarray(0, HEAD_BYTES)]);
    },
    count: () => {
      const start = head.toString().trimStart();
      return start === "" || start.startsWith(NO_SPANS) ? 0 : 1;
    },
  };
}

/** Returns a meter for a response with a limit. It holds the response, to count at its end. */
export function wholeMeter(form: MeteredForm): SpanMeter {
  const chunks: Uint8Array[] = [];
  return {
    add: (chunk) => void chunks.push(chunk),
    count: () => COUNTS[form](Buffer.concat(chunks)),
  };
}

const COUNTS: Readonly<Record<MeteredForm, (answer: Buffer) => number>> = {
  ndjson: (answer) => answer.toString("latin1").match(/.+/g)?.length ?? 0,
  json: (answer) => {
    const request = parsed(answer);
    return request === undefined ? 1 : spansFromOtlpJson(request).length;
  },
  otlp: (answer) => {
    const count = countSpans(answer);
    return typeof count === "number" ? count : 1;
  },
};

/** Parses a response; returns undefined if it is unreadable, which counts as not empty. */
function parsed(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString());
  } catch {
    return undefined;
  }
}
