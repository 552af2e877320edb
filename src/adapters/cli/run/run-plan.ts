import { ON_FREE_PORTS } from "../../../config-free-ports.ts";
import { type Config, type Environment, readConfig } from "../../../config.ts";
import {
  type Expectation,
  type ExpectationMistakes,
  readExpectation,
} from "../../../domain/query/expectation.ts";
import { readDuration } from "../../../domain/query/time-text.ts";
import { quotePeerText } from "../../../domain/quote-text.ts";
import { CommandFailure } from "../command-failure.ts";
import { type CommandRun, valueOf } from "../command-run.ts";
import { EXIT_CODE } from "../exit-code.ts";
import { type Protocol, PROTOCOLS } from "./child-environment.ts";

/** What a run is to do, checked before anything is started. */
export interface RunPlan {
  readonly config: Config;
  readonly protocol: Protocol;
  readonly expectations: readonly Expectation[];
  readonly settleMs: number;
}

const SETTLE = "1s";
const LONGEST_SETTLE = "10m";
const NANO_A_MS = 1_000_000n;

/** All that the arguments and the environment say, or a failure that lists every mistake. */
export function readRunPlan(run: CommandRun): RunPlan {
  const nowUnixNano = BigInt(Date.now()) * NANO_A_MS;
  const read = run.options
    .filter(({ name }) => name === "expect")
    .map(({ value }) => readExpectation(value, nowUnixNano));
  const settleText = valueOf(run, "settle") ?? SETTLE;
  const settle = readSettle(settleText);
  const protocolText = valueOf(run, "protocol");
  const protocol = protocolText === undefined ? protocolOf(run.env) : knownProtocol(protocolText);
  // Free ports whatever the environment says of them: another spanring may listen there.
  const reading = readConfig({ LOG_LEVEL: "ERROR", ...run.env, ...ON_FREE_PORTS });
  const mistakes = [
    ...read.flatMap((each) => (isMistaken(each) ? each.mistakes.map(expectMistake) : [])),
    ...(settle === undefined ? [`--settle "${quotePeerText(settleText)}" ${SETTLE_BOUND}`] : []),
    ...(protocol === undefined ? [`--protocol must be one of ${PROTOCOLS.join(", ")}`] : []),
    ...(reading.ok
      ? []
      : reading.mistakes.map((each) => `${each.variable}="${each.value}": must be ${each.bound}`)),
  ];
  if (mistakes.length > 0 || settle === undefined || protocol === undefined || !reading.ok) {
    throw new CommandFailure(EXIT_CODE.badUsage, mistakes.join("\n  "));
  }
  const expectations = read.flatMap((each) => (isMistaken(each) ? [] : [each]));
  return { config: reading.config, protocol, expectations, settleMs: Number(settle / NANO_A_MS) };
}

const SETTLE_BOUND = `must be a time up to ${LONGEST_SETTLE}, such as ${SETTLE}`;

/** As long as the read API would wait. */
function readSettle(text: string): bigint | undefined {
  const settle = readDuration(text);
  return settle !== undefined && settle <= readDuration(LONGEST_SETTLE)! ? settle : undefined;
}

/** What an application is told already, it can do: many have an exporter for one protocol only. */
function protocolOf(env: Environment): Protocol {
  const text = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"];
  return knownProtocol(text ?? "") ?? PROTOCOLS[0];
}

function knownProtocol(text: string): Protocol | undefined {
  return PROTOCOLS.find((known) => known === text);
}

function isMistaken(read: Expectation | ExpectationMistakes): read is ExpectationMistakes {
  return "mistakes" in read;
}

function expectMistake(mistake: string): string {
  return `--expect: ${mistake}`;
}
