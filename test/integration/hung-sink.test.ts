import { expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import { RotatingFile } from "../../src/adapters/forward/rotating-file.ts";
import { readConfig } from "../../src/config/config.ts";
import { startServer } from "../../src/server/server.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { numbersOf } from "../support/running/data-directory.ts";
import { runServer } from "../support/running/running-server.ts";

// Goal: a stop loses no span because of a hanging disk. Method: a write that never ends and cannot
// be cancelled, as on a network file system whose server is gone.

const folder = temporaryFolder();

const FREE = {
  OTLP_GRPC_PORT: "off",
  OTLP_HTTP_HOST: "127.0.0.1",
  OTLP_HTTP_PORT: "0",
  API_PORT: "0",
  FORWARD_MAX_DELAY_MS: "0",
};
const SPANS = 25;

/** Stops a server while all its spans are in a write that does not end. */
async function stoppedWhileHung(env: Record<string, string>) {
  const begun = Promise.withResolvers<void>();
  using append = spyOn(RotatingFile.prototype, "append").mockImplementation(() => {
    begun.resolve();
    return new Promise(() => {});
  });
  const endpoint = `file://${folder}/sink.jsonl`;
  const reading = readConfig({ ...FREE, FORWARD_ENDPOINT: endpoint, ...env });
  if (!reading.ok) throw new Error(JSON.stringify(reading.mistakes));
  const logger = new RecordingLogger();
  const server = await startServer({ config: reading.config, logger, version: "0.0.0" });
  await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(SPANS));
  await begun.promise;
  await server.stop(0);
  expect(append).toHaveBeenCalled();
  return { logger, stats: server.buffer.stats().spans };
}

test("spans in a hanging write are kept for the next start", async () => {
  const directory = join(folder, "left");
  const env = { DATA_DIR: directory, DURABILITY: "stop" };

  const { logger, stats } = await stoppedWhileHung(env);
  const next = await runServer(env);
  const found = numbersOf(next);
  await next.stop(0);

  const kept = logger.lines.find(({ event }) => event === "kept");
  expect(kept).toMatchObject({ level: "info", fields: { spans: SPANS, directory } });
  expect(found).toHaveLength(SPANS);
  expect(stats).toMatchObject({ accepted: SPANS, buffered: SPANS, delivered: 0 });
});

test("without a directory, spans in a hanging write are logged as lost", async () => {
  const { logger } = await stoppedWhileHung({});

  const lost = logger.lines.find(({ event }) => event === "lost");
  expect(lost).toMatchObject({ level: "warning", fields: { spans: SPANS } });
});
