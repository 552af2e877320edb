import { NANOS_PER_MS } from "../../../domain/time.ts";
import {
  ON_FREE_PORTS,
  type Config,
  type ConfigReading,
  type Environment,
  readConfig,
} from "../../../config/config.ts";
import type { Expectation } from "../../../domain/expectation/expectation.ts";
import { readDuration } from "../../../domain/query/time-text.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { type CommandRun, report, valueOf } from "../command/command-run.ts";
import { type Protocol, PROTOCOLS } from "./child-environment.ts";
import { readGivenExpectations } from "./given-expectations.ts";

/** Holds the options of a run, checked before anything is started. */
export interface RunPlan {
  readonly config: Config;
  readonly protocol: Protocol;
  readonly expectations: readonly Expectation[];
  readonly settleMs: number;
}

const SETTLE = "1s";
const MAX_SETTLE = "10m";

/** Reads arguments and environment. Throws a failure that lists every mistake. */
export function readRunPlan(run: CommandRun): RunPlan {
  const nowUnixNano = BigInt(Date.now()) * NANOS_PER_MS;
  const given = readGivenExpectations(run, nowUnixNano);
  const settleText = valueOf(run, "settle") ?? SETTLE;
  const settle = readSettle(settleText);
  const protocolText = valueOf(run, "protocol");
  const protocol = protocolText === undefined ? protocolOf(run.env) : knownProtocol(protocolText);
  const reading = readReceiverConfig(run);
  const mistakes = [
    ...given.mistakes,
    ...(settle === undefined ? [`--settle "${quotePeerText(settleText)}" ${SETTLE_BOUND}`] : []),
    ...(valueOf(run, "junit") === "-" ? [JUNIT_TO_OUTPUT] : []),
    ...(protocol === undefined ? [`--protocol must be one of ${PROTOCOLS.join(", ")}`] : []),
    ...(reading.ok
      ? []
      : reading.mistakes.map((each) => `${each.variable}="${each.value}": must be ${each.bound}`)),
  ];
  if (mistakes.length > 0 || settle === undefined || protocol === undefined || !reading.ok) {
    throw new CommandFailure(EXIT_CODE.badUsage, mistakes.join("\n  "));
  }
  return {
    config: reading.config,
    protocol,
    expectations: given.expectations,
    settleMs: Number(settle / NANOS_PER_MS),
  };
}

const JUNIT_TO_OUTPUT =
  '--junit "-" is not a file, because standard output is that of the command; ' +
  "give a name, such as spans.xml";

/** Names so common that the command may use them for something else. */
const COMMON_NAMES: ReadonlySet<string> = new Set([
  "LOG_LEVEL",
  "LOG_FORMAT",
  "MAX_CONNECTIONS",
  "MAX_CONCURRENT_STREAMS",
  "IDLE_TIMEOUT_MS",
  "KEEPALIVE_TIME_MS",
  "KEEPALIVE_TIMEOUT_MS",
  "MAX_CONNECTION_AGE_MS",
]);

/** The log level of a receiver next to a command, which reports errors only. */
const LOG_LEVEL = "ERROR";

/**
 * Reads the receiver's configuration from the command's environment. An invalid value of a common
 * name does not prevent the run; those of `LOG_LEVEL` and `LOG_FORMAT` are too frequent to warn of.
 */
function readReceiverConfig(run: CommandRun): ConfigReading {
  // Ignores the ports in the environment, because another spanring may be listening there.
  const env = { ...run.env, ...ON_FREE_PORTS, LOG_LEVEL: run.env["LOG_LEVEL"] || LOG_LEVEL };
  const reading = readConfig(env);
  if (reading.ok) return reading;
  const foreign = reading.mistakes.filter(({ variable }) => COMMON_NAMES.has(variable));
  for (const { variable, value, bound } of foreign) {
    if (variable.startsWith("LOG_")) continue;
    report(run, `warning: ignored ${variable}="${value}": for spanring it must be ${bound}`);
  }
  const usual = foreign.map(({ variable }) => [
    variable,
    variable === "LOG_LEVEL" ? LOG_LEVEL : "",
  ]);
  return readConfig({ ...env, ...Object.fromEntries(usual) });
}

const SETTLE_BOUND = `must be a time up to ${MAX_SETTLE}, such as ${SETTLE}`;

/** Reads the time to settle, with the limit of the read API. */
function readSettle(text: string): bigint | undefined {
  const settle = readDuration(text);
  return settle !== undefined && settle <= readDuration(MAX_SETTLE)! ? settle : undefined;
}

/** Prefers the protocol that the application is configured for: many have only one exporter. */
function protocolOf(env: Environment): Protocol {
  const text = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] || env["OTEL_EXPORTER_OTLP_PROTOCOL"];
  return knownProtocol(text ?? "") ?? PROTOCOLS[0];
}

function knownProtocol(text: string): Protocol | undefined {
  return PROTOCOLS.find((known) => known === text);
}
