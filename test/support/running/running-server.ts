import { readConfig } from "../../../src/config/config.ts";
import { type RunningServer, startServer } from "../../../src/server/server.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";

const LOCAL = { OTLP_GRPC_HOST: "127.0.0.1", OTLP_HTTP_HOST: "127.0.0.1" };
const FREE = { ...LOCAL, OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };

/** Runs a server in this process, by default on free ports. */
export async function runServer(
  env: Readonly<Record<string, string>>,
  logger = new RecordingLogger(),
): Promise<RunningServer> {
  const reading = readConfig({ ...FREE, ...env });
  if (!reading.ok) throw new Error("the configuration is not right");
  return await startServer({ config: reading.config, logger, version: "0.0.0" });
}
