import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, isGiven, valueOf } from "../command/command-run.ts";
import { fileSource } from "./file-source.ts";
import { isKafkaAddress, kafkaSettings, settingsFailure } from "./kafka-settings.ts";
import type { SendSource } from "./send-source.ts";
import { type RangeOptions, readRange, topicSource } from "./topic-source.ts";

/** Opens the files or the topic to send. Throws a failure if the command line is at odds. */
export async function openSource(run: CommandRun): Promise<SendSource> {
  const address = valueOf(run, "from");
  const mistake = address === undefined ? mistakeWithFiles(run) : mistakeWithTopic(run);
  if (mistake !== undefined) throw usageFailure(mistake);
  return address === undefined ? await fileSource(run) : await openTopic(run, address);
}

function mistakeWithFiles(run: CommandRun): string | undefined {
  if (run.operands.length === 0) return "FILE... is missing; --from sends a Kafka topic instead";
  const useless = (["since", "follow"] as const).find((option) => isGiven(run, option));
  return useless === undefined ? undefined : `--${useless} requires --from`;
}

function mistakeWithTopic(run: CommandRun): string | undefined {
  if (run.operands.length > 0) return "--from cannot be combined with FILE";
  // The variables describe one set of brokers.
  const isToKafka = isKafkaAddress(valueOf(run, "to") ?? "");
  return isToKafka ? "--from and --to cannot both be Kafka topics" : undefined;
}

async function openTopic(run: CommandRun, address: string): Promise<SendSource> {
  const settings = kafkaSettings(run, "--from", address);
  const options: RangeOptions = { since: valueOf(run, "since"), follow: isGiven(run, "follow") };
  const range = readRange(options, Date.now());
  if (range === undefined) throw usageFailure(`--since ${SINCE_BOUND}`);
  const opening = await run.openTopic(settings);
  if (!opening.ok) throw settingsFailure(opening.mistakes, "--from");
  return topicSource(run, { source: opening.source, endpoint: settings.endpoint, range });
}

const SINCE_BOUND = "must be RFC 3339, a date, a Unix time, or a time ago, such as 10m";
