import type { Expectation } from "../../../domain/expectation/expectation.ts";
import { readExpectation } from "../../../domain/expectation/read-expectation.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import type { CommandRun } from "../command/command-run.ts";
import { readExpectationFile } from "./expectation-file.ts";
import { mistakeTexts } from "./mistake-texts.ts";

/** The expectations that a command is given, and all mistakes in them. */
export interface GivenExpectations {
  readonly expectations: readonly Expectation[];
  readonly mistakes: readonly string[];
}

/** Reads `--expect` and `--expect-file`, in the order given. */
export function readGivenExpectations(
  { options }: Pick<CommandRun, "options">,
  nowUnixNano: bigint,
): GivenExpectations {
  const read = options.flatMap(({ name, value }) => {
    if (name === "expect") return [expectationOf(value, "--expect", nowUnixNano)];
    return name === "expect-file" ? expectationsIn(value, nowUnixNano) : [];
  });
  return {
    expectations: read.flatMap((each) => ("mistakes" in each ? [] : [each])),
    mistakes: read.flatMap((each) => ("mistakes" in each ? each.mistakes : [])),
  };
}

interface Mistaken {
  readonly mistakes: readonly string[];
}

function expectationOf(text: string, origin: string, nowUnixNano: bigint): Expectation | Mistaken {
  const read = readExpectation(text, nowUnixNano);
  return "mistakes" in read ? { mistakes: mistakeTexts(text, read.mistakes, origin) } : read;
}

function expectationsIn(path: string, nowUnixNano: bigint): (Expectation | Mistaken)[] {
  const file = readExpectationFile(path);
  if ("mistake" in file) return [{ mistakes: [`--expect-file: ${file.mistake}`] }];
  return file.texts.map((text, index) =>
    expectationOf(text, `${quotePeerText(path)}, expectation ${index + 1}`, nowUnixNano),
  );
}
