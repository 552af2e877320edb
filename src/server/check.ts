import { SYSTEM_CLOCK as clock } from "../adapters/clock/system-clock.ts";
import type { CheckedStart } from "../adapters/cli/command-line.ts";
import { checkDirectory } from "../adapters/disk/check-directory.ts";
import { openSpanSink } from "../adapters/forward/open-sink.ts";
import { SILENT_LOGGER } from "../adapters/logging/silent-logger.ts";
import { cgroupMemoryLimit } from "../adapters/memory/cgroup-limit.ts";
import { type Lookup, requireResolvable } from "../adapters/listening/served-port.ts";
import { checkSocketPath } from "../adapters/listening/unix-socket.ts";
import type { Config, ConfigWarning, KafkaEndpoint, Mistake } from "../config/config.ts";
import { socketPathOf, withoutBrackets } from "../domain/text/host-address.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import { forwardFileWarnings } from "./forward-file.ts";
import { checkCertificates } from "./listener-tls.ts";
import { memoryWarnings } from "./memory.ts";
import { checkTokens } from "./tokens.ts";
import { systemErrorText } from "../domain/text/system-error.ts";

export interface StartToCheck {
  readonly config: Config;
  readonly version: string;
  readonly lookup?: Lookup;
  readonly memoryLimitBytes?: () => number | undefined;
}

/** Tries everything that a start does, except listening. It leaves everything unchanged. */
export async function checkStart(start: StartToCheck): Promise<CheckedStart> {
  const { config, lookup, memoryLimitBytes = cgroupMemoryLimit } = start;
  const certificates = await checkCertificates(config);
  const mistakes = [hostMistakes(config, lookup), logMistakes(config), forwardMistakes(start)];
  const tokens = await checkTokens(config);
  return {
    mistakes: [
      ...certificates.mistakes,
      ...tokens.mistakes,
      ...(await Promise.all(mistakes)).flat(),
    ],
    warnings: [
      ...certificates.warnings,
      ...tokens.warnings,
      ...(await upstreamWarnings(config, lookup)),
      ...memoryWarnings(config, memoryLimitBytes()),
    ],
  };
}

const HOST_VARIABLES = {
  grpc: "OTLP_GRPC_HOST",
  http: "OTLP_HTTP_HOST",
  api: "API_HOST",
} as const;

async function hostMistakes(config: Config, lookup: Lookup | undefined): Promise<Mistake[]> {
  const checks = (["grpc", "http", "api"] as const).map(async (listener) => {
    const address = config[listener];
    if (address === "off") return [];
    const bound = await hostBound(address.host, lookup);
    if (bound === undefined) return [];
    return [{ variable: HOST_VARIABLES[listener], value: address.host, bound }];
  });
  return (await Promise.all(checks)).flat();
}

/** Returns what a host must be instead; undefined if a listener can use it. */
async function hostBound(host: string, lookup: Lookup | undefined): Promise<string | undefined> {
  const path = socketPathOf(host);
  if (path === undefined) return (await resolves(host, lookup)) ? undefined : AN_ADDRESS;
  const reason = await reasonOf(checkSocketPath(path));
  return reason && `the path of a new socket, or of one at which nothing answers: ${reason}`;
}

const AN_ADDRESS = "an address of this machine, or a name that resolves to one";

async function resolves(host: string, lookup: Lookup | undefined): Promise<boolean> {
  return await requireResolvable(host, lookup).then(
    () => true,
    () => false,
  );
}

async function logMistakes({ log }: Config): Promise<Mistake[]> {
  if (log === "off") return [];
  const reason = await reasonOf(checkDirectory(log.directory));
  if (reason === undefined) return [];
  const bound = `a writable directory, or a new one in a writable directory: ${reason}`;
  return [{ variable: "DATA_DIR", value: quotePeerText(log.directory), bound }];
}

async function forwardMistakes({ config, version }: StartToCheck): Promise<readonly Mistake[]> {
  if (config.forward === "off") return [];
  const { forward } = config;
  // A sink logs nothing until it has sent something.
  const unused = { nowMs: Date.now, clock, logger: SILENT_LOGGER };
  const opening = await openSpanSink({ forward, version, ...unused });
  if (!opening.ok) return opening.mistakes;
  await opening.sink.close();
  return [];
}

/** Warns of an unreachable upstream, which does not prevent a start. */
async function upstreamWarnings(
  { forward }: Config,
  lookup: Lookup | undefined,
): Promise<ConfigWarning[]> {
  if (forward === "off") return [];
  const { endpoint } = forward;
  if (endpoint.protocol === "file") return await forwardFileWarnings(forward);
  if (endpoint.protocol === "kafka") return await brokerWarnings(endpoint, lookup);
  if (endpoint.socketPath !== undefined) return [];
  if (await resolves(withoutBrackets(endpoint.host), lookup)) return [];
  return [hostWarning(endpoint.host, "unless a proxy resolves it, spans wait until it does")];
}

/** Warns of each broker whose name does not resolve: one that does is enough to find all others. */
async function brokerWarnings(
  { brokers }: KafkaEndpoint,
  lookup: Lookup | undefined,
): Promise<ConfigWarning[]> {
  const checks = brokers.map(async ({ host }) => ((await resolves(host, lookup)) ? [] : [host]));
  const unknown = (await Promise.all(checks)).flat();
  const effect = unknown.length === brokers.length ? "spans wait until it does" : "others are used";
  return unknown.map((host) => hostWarning(host, effect));
}

function hostWarning(host: string, effect: string): ConfigWarning {
  return { variable: "FORWARD_ENDPOINT", message: `${host} does not resolve: ${effect}` };
}

async function reasonOf(trying: Promise<void>): Promise<string | undefined> {
  return await trying.then(() => undefined, systemErrorText);
}
