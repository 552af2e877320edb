import { Buffer } from "node:buffer";
import { answerForm, MEDIA_TYPE_OF_FORM, copyToOutput } from "../command/answer-form.ts";
import { type ApiCall, askForSuccess, bodyOf, linesOf } from "../api/ask-api.ts";
import { type CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { saveSpans } from "../files/save-spans.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";
import { countSpans } from "../../otlp-files/file-request.ts";

export interface SpanPlan {
  readonly call: ApiCall;
  /** Shows the spans on a terminal. */
  readonly show: ShowSpans;
  readonly exitCodeWhenEmpty: ExitCode;
  /** The message for an empty response. */
  readonly emptyText: string;
  /** The limit that applies if the user has set none, and the message when it is reached. */
  readonly defaultLimit?: { readonly spans: number; readonly text: string };
  readonly asFailure?: (response: Response) => Promise<CommandFailure>;
}

/** Prints the spans of a response, which are lines of NDJSON. */
export type ShowSpans = (run: CommandRun, lines: AsyncIterable<string>) => Promise<SpanOutput>;

/** The number of printed spans, and whether the reader has kept the pipe open. */
export interface SpanOutput {
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
        ? await plan.show(run, filledLines(await ask()))
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

async function* filledLines(response: Response): AsyncGenerator<string> {
  for await (const line of linesOf(bodyOf(response))) {
    if (line !== "") yield line;
  }
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
