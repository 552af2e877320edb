import { afterEach } from "bun:test";
import { type ReadApi, type ReadApiParts, startReadApi } from "../../src/adapters/http/read-api.ts";
import { FakeSpanReader } from "./fake-span-reader.ts";
import { RecordingLogger } from "./recording-logger.ts";

export interface RunningReadApi {
  readonly api: ReadApi;
  readonly buffer: FakeSpanReader;
  readonly logger: RecordingLogger;
  request(path: string, init?: RequestInit): Promise<Response>;
}

const running: ReadApi[] = [];

/** A read API on a free port of 127.0.0.1, over five spans; stopped when the test ends. */
export function runReadApi(parts: Partial<ReadApiParts> = {}): RunningReadApi {
  const buffer = new FakeSpanReader(5);
  const logger = new RecordingLogger();
  const api = startReadApi({
    address: { host: "127.0.0.1", port: 0 },
    buffer,
    readiness: () => "ready",
    uptimeMs: () => 12_345.6,
    version: "1.2.3",
    logger,
    ...parts,
  });
  running.push(api);
  const request = (path: string, init?: RequestInit) =>
    fetch(`http://127.0.0.1:${api.port}${path}`, init);
  return { api, buffer, logger, request };
}

/** To be called once in a test file that runs read APIs. */
export function stopReadApisAfterEach(): void {
  afterEach(async () => {
    await Promise.all(running.splice(0).map((api) => api.abort()));
  });
}
