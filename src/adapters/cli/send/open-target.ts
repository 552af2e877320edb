import { shownEndpoint } from "../../../config/endpoint.ts";
import { isSocketAddress } from "../../../domain/text/host-address.ts";
import { accessOf } from "../api/access.ts";
import { checkedUrl } from "../api/ask-api.ts";
import { usageFailure } from "../command/answer-form.ts";
import { type CommandRun, isGiven, valueOf } from "../command/command-run.ts";
import { httpTarget, TRACES_PATH } from "./http-target.ts";
import { isKafkaAddress, kafkaSettings, settingsFailure } from "./kafka-settings.ts";
import type { SendTarget } from "./send-target.ts";
import { sinkTarget } from "./sink-target.ts";

const DEFAULT_URL = "http://127.0.0.1:4318";

/** Opens the target that `--to` names. Throws a failure if it cannot be used. */
export async function openTarget(run: CommandRun): Promise<SendTarget> {
  const address = valueOf(run, "to") ?? DEFAULT_URL;
  if (isKafkaAddress(address)) return await openTopic(run, address);
  return httpTarget({ url: exportUrl(address), access: accessOf(run), clock: run.clock });
}

/** Returns the URL with the path for traces, which a Unix socket does not need. */
function exportUrl(text: string): string {
  const url = checkedUrl(text, "--to", DEFAULT_URL);
  return url.endsWith(TRACES_PATH) || isSocketAddress(url) ? url : url + TRACES_PATH;
}

async function openTopic(run: CommandRun, address: string): Promise<SendTarget> {
  for (const [option, instead] of HTTP_OPTIONS) {
    if (!isGiven(run, option)) continue;
    throw usageFailure(`--${option} is for OTLP/HTTP; for Kafka, set ${instead}`);
  }
  const settings = kafkaSettings(run, "--to", address);
  const opening = await run.openSink(settings);
  if (!opening.ok) throw settingsFailure(opening.mistakes, "--to");
  const { sink } = opening;
  const name = shownEndpoint(settings.endpoint);
  return await sinkTarget({ name, sink, clock: run.clock, signal: run.interruption() });
}

/** The options of an OTLP/HTTP receiver, and the variables that do the same for Kafka. */
const HTTP_OPTIONS = [
  ["token-file", "FORWARD_SASL_*"],
  ["ca", "FORWARD_TLS_CA_FILE"],
] as const;
