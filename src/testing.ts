/**
 * Runs spanring inside the process of a test: `import { startSpanring } from "spanring/testing"`.
 *
 *     await using ring = await startSpanring();
 *     // ... run code that exports to ring.endpoints.http ...
 *     const [span] = await ring.waitFor({ name: "GET /" });
 *
 * This is the entry point on Bun. `testing/node.ts` has the same interface elsewhere.
 */
import packageJson from "../package.json" with { type: "json" };
import { SILENT_LOGGER } from "./adapters/logging/silent-logger.ts";
import { type Config, ON_FREE_PORTS, readConfig } from "./config/config.ts";
import type { Logger } from "./ports/logger.ts";
import { CannotStartError, type RunningServer, startServer } from "./server/server.ts";
import { ringOverApi } from "./testing/ring-over-api.ts";
import type { SpanringOptions, TestSpanring } from "./testing/test-spanring.ts";

export { spanringMatchers } from "./testing/matchers.ts";
export type * from "./testing/test-spanring.ts";

const STOP_GRACE_MS = 1_000;

/** Starts a receiver with all its listeners. Rejects if `options.env` has a mistake. */
export async function startSpanring(options: SpanringOptions = {}): Promise<TestSpanring> {
  const reading = readConfig({ ...ON_FREE_PORTS, ...options.env });
  if (!reading.ok) throw new Error(mistakesText(reading.mistakes));
  const server = await startQuietly(reading.config);
  const endpoints = endpointsOf(reading.config, server);
  return ringOverApi({ endpoints, failed: server.failed, stop: () => server.stop(STOP_GRACE_MS) });
}

function mistakesText(mistakes: readonly { variable: string; value: string; bound: string }[]) {
  return mistakes
    .map(({ variable, value, bound }) => `${variable}="${value}": must be ${bound}`)
    .join("\n");
}

/** A server without a log. */
interface QuietServer extends RunningServer {
  /** Aborted by the first error that the server logs, with the reason. */
  readonly failed: AbortSignal;
}

/** Rejects with the reason if a listener cannot start. */
async function startQuietly(config: Config): Promise<QuietServer> {
  const failing = new AbortController();
  const error: Logger["error"] = (event, fields) =>
    failing.abort(new Error(`spanring has failed: ${event} ${JSON.stringify(fields)}`));
  const logger = { ...SILENT_LOGGER, error };
  try {
    const server = await startServer({ config, logger, version: packageJson.version });
    return { ...server, failed: failing.signal };
  } catch (failure) {
    throw failure instanceof CannotStartError ? failing.signal.reason : failure;
  }
}

function endpointsOf(config: Config, { ports }: RunningServer): TestSpanring["endpoints"] {
  const urlOf = (listener: keyof typeof ports): string => {
    const address = config[listener];
    if (address !== "off" && address.socketMode !== undefined) return address.host;
    const scheme = address !== "off" && address.tls !== undefined ? "https" : "http";
    return `${scheme}://127.0.0.1:${ports[listener]}`;
  };
  return { grpc: urlOf("grpc"), http: urlOf("http"), api: urlOf("api") };
}
