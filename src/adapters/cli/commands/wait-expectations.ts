import type { Expectation } from "../../../domain/expectation/expectation.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { NANOS_PER_MS } from "../../../domain/time.ts";
import type { Received } from "../../api-messages/message.ts";
import { expectationProblem } from "../../api-messages/wait-messages.ts";
import { askApi, failureOf, hasProblem, messageIn } from "../api/ask-api.ts";
import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, paletteOf, report, valueOf } from "../command/command-run.ts";
import { EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { countedText } from "../output/quantities.ts";
import { explanationLines } from "../render/explanation.ts";
import { spansFromOtlpJson } from "../render/shown-span.ts";
import { seenText } from "../run/failure-lines.ts";
import { readGivenExpectations } from "../run/given-expectations.ts";
import { WHERE } from "../usage/command-spec.ts";
import type { OptionName } from "../usage/option-table.ts";

const UNMET = 417;

/** Each expectation is a request of its own, and all of them wait at the same time. */
const MAX_EXPECTATIONS = 100;

const EXPECTING: readonly OptionName[] = ["expect", "expect-file"];
const USABLE: ReadonlySet<OptionName> = new Set([...EXPECTING, "timeout", ...WHERE]);

/** Reports whether a wait is given expectations instead of filters. */
export function hasExpectations({ options }: Pick<CommandRun, "options">): boolean {
  return options.some(({ name }) => EXPECTING.includes(name));
}

/** Waits until all expectations are met, and reports those that are not when the time is up. */
export async function waitForExpectations(run: CommandRun, waitMs: number): Promise<ExitCode> {
  const expectations = givenExpectations(run);
  const problems = await Promise.all(expectations.map((each) => problemOf(run, each, waitMs)));
  const unmet = problems.flatMap((problem, index) =>
    problem === undefined ? [] : [{ problem, expectation: expectations[index]! }],
  );
  for (const { problem, expectation } of unmet) reportUnmet(run, expectation, problem);
  if (unmet.length > 0) return EXIT_CODE.notFound;
  report(run, `${countedText(expectations.length, "expectation")} met`);
  return EXIT_CODE.ok;
}

function givenExpectations(run: CommandRun): readonly Expectation[] {
  const other = run.options.find(({ name }) => !USABLE.has(name));
  if (other !== undefined) {
    const why = "write conditions and a count into the expectation";
    throw usageFailure(`--${other.name} cannot be combined with --expect; ${why}`);
  }
  const nowUnixNano = BigInt(Date.now()) * NANOS_PER_MS;
  const { expectations, mistakes } = readGivenExpectations(run, nowUnixNano);
  if (mistakes.length > 0) throw usageFailure(mistakes.join("\n  "));
  if (expectations.length <= MAX_EXPECTATIONS) return expectations;
  throw usageFailure(`${expectations.length} expectations; wait takes ${MAX_EXPECTATIONS}`);
}

type ExpectationProblem = Received<typeof expectationProblem>;

/** Returns why an expectation is not met; undefined if it is. */
async function problemOf(
  run: CommandRun,
  { text }: Expectation,
  waitMs: number,
): Promise<ExpectationProblem | undefined> {
  const timeout = valueOf(run, "timeout");
  const query: [string, string][] = [
    ["expect", text],
    ["hold", "true"],
    ...(timeout === undefined ? [] : [["timeout", timeout] as [string, string]]),
  ];
  const response = await askApi(run, { path: "/api/wait", query, waitMs });
  if (response.status === UNMET && hasProblem(response)) {
    return await messageIn(response, expectationProblem);
  }
  if (!response.ok) throw await failureOf(response);
  await response.body?.cancel();
  return undefined;
}

function reportUnmet(run: CommandRun, expectation: Expectation, problem: ExpectationProblem): void {
  const { stderr } = run;
  const { found, wrong, uncertain, nearest, spans, detail } = problem;
  const palette = paletteOf(run, stderr);
  report(run, `${palette.bad("✗")} expected ${quotePeerText(expectation.text)}`);
  const explanation = { nearest, around: spansFromOtlpJson(spans) };
  const lines = [
    `seen: ${seenText(expectation, { found, wrong })}`,
    ...(uncertain ? [quotePeerText(detail)] : []),
    ...explanationLines(explanation, stderr.columns - INDENT.length, palette),
  ];
  for (const line of lines) stderr.write(`${INDENT}${line}\n`);
}

const INDENT = "  ";
