import { expect, spyOn, test } from "bun:test";
import * as fs from "node:fs";
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { LogFields } from "../../src/ports/logger.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";

// Goal: a listener that cannot listen with a renewed certificate does so as soon as it can.
// Method: no descriptor of a listening socket is found, as on a system without `/proc`, so that the
// port must be closed first, and another program has it for a while.

const root = temporaryFolder();
const { authority, server: own, renewed } = makeCertificates();

class AwaitedLogger extends RecordingLogger {
  readonly resumed = Promise.withResolvers<void>();

  override info(event: string, fields?: LogFields): void {
    super.info(event, fields);
    if (event === "listening_resumed") this.resumed.resolve();
  }
}

function denyPort(): never {
  throw Object.assign(new Error("the port is in use"), { code: "EADDRINUSE" });
}

test("OTLP/HTTP listens again after a failure, and logs both", async () => {
  const logger = new AwaitedLogger();
  const files = certificateFiles(mkdtempSync(join(root, "files-")), own, authority);
  const hiding = spyOn(fs, "readdirSync").mockImplementation(() => []);
  const tls = files.variables("OTLP_HTTP") as Record<string, string>;
  const server = await runServer(tls, logger);
  hiding.mockRestore();
  const url = `https://localhost:${server.ports.http}/`;
  const failing = spyOn(Bun, "serve").mockImplementation(denyPort);

  files.put(renewed);
  await server.reload();
  failing.mockRestore();
  await logger.resumed.promise;
  const { status } = await fetch(url, { tls: { ca: authority.cert }, keepalive: false });
  await server.stop(0);

  expect(status).toBe(404);
  expect(logger.lines).toContainEqual({
    level: "error",
    event: "cannot_listen",
    fields: { listener: "http", reason: "another program uses it" },
  });
  expect(logger.lines.filter(({ event }) => event === "listening_resumed")).toEqual([
    { level: "info", event: "listening_resumed", fields: { listener: "http" } },
  ]);
});
