import {
  type Environment,
  type ForwardConfig,
  type Mistake,
  ON_FREE_PORTS,
  readConfig,
} from "../../../config/config.ts";
import { concealUrl } from "../../../config/endpoint.ts";
import { assert } from "../../../domain/assert.ts";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { usageFailure } from "../command/answer-form.ts";
import type { CommandFailure } from "../output/exit-code.ts";
import { type CommandRun, report } from "../command/command-run.ts";

/** Reports whether an address is that of a topic, valid or not. */
export function isKafkaAddress(text: string): boolean {
  return /^kafkas?:/i.test(text);
}

/** An option whose value may be the address of a topic. */
export type KafkaOption = "--to" | "--from";

/**
 * Returns the settings for a topic: those with which spans would be forwarded there. Throws a
 * failure that lists every mistake.
 */
export function kafkaSettings(
  run: CommandRun,
  option: KafkaOption,
  address: string,
): ForwardConfig {
  if (!isKafkaAddress(address)) {
    throw usageFailure(addressMistake(option, quotePeerText(concealUrl(address))));
  }
  const env = { ...ON_FREE_PORTS, ...forwardVariables(run.env), FORWARD_ENDPOINT: address };
  const reading = readConfig(env);
  for (const { variable, message } of reading.warnings) {
    report(run, `warning: ${variable}: ${message}`);
  }
  if (!reading.ok) throw settingsFailure(reading.mistakes, option);
  const { forward } = reading.config;
  assert(forward !== "off", "an endpoint is set");
  return forward;
}

/**
 * Returns the variables of forwarding, unless they are for an upstream of another kind, whose
 * headers and certificates are not meant for these brokers.
 */
function forwardVariables(env: Environment): Environment {
  const upstream = env["FORWARD_ENDPOINT"] || "";
  if (upstream !== "" && !isKafkaAddress(upstream)) return {};
  return Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith("FORWARD_")));
}

const ADDRESS_BOUND =
  "kafka://BROKER:PORT/TOPIC, or kafkas:// with TLS; several brokers are separated by commas";

/** Returns the failure for mistakes in the settings; one in the address names `option`. */
export function settingsFailure(mistakes: readonly Mistake[], option: KafkaOption): CommandFailure {
  const lines = mistakes.map(({ variable, value, bound }) =>
    variable === "FORWARD_ENDPOINT"
      ? addressMistake(option, value)
      : `${variable}="${value}": must be ${bound}`,
  );
  return usageFailure(lines.join("\n  "));
}

function addressMistake(option: KafkaOption, shown: string): string {
  return `${option} is "${shown}"; it must be ${ADDRESS_BOUND}`;
}

/** Says what to do if a failure has no hint of its own. */
export const BROKER_ADVICE =
  "Start a broker there, or check the address, FORWARD_TLS_* and FORWARD_SASL_*.";

/** Turns a hint into a sentence, which names the option instead of the variable. */
export function hintSentence(hint: string | undefined, option: KafkaOption): string | undefined {
  if (hint === undefined) return undefined;
  const text = hint.replace("FORWARD_ENDPOINT", option);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
