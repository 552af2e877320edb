import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { readConfig } from "../../src/config/config.ts";
import { forwardFileWarnings } from "../../src/server/forward-file.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: a start and --check give the same warning if spans cannot be forwarded to a file.

const root = temporaryFolder();
const urlOf = (...names: string[]) => pathToFileURL(join(root, ...names)).href;

async function warnings(endpoint: string) {
  const reading = readConfig({ FORWARD_ENDPOINT: endpoint });
  if (!reading.ok) throw new Error("the configuration is invalid");
  return await forwardFileWarnings(reading.config.forward);
}

writeFileSync(join(root, "spans.jsonl"), "");
mkdirSync(join(root, "folder.jsonl"));
symlinkSync("/dev/full", join(root, "device.jsonl"));
symlinkSync(join(root, "spans.jsonl"), join(root, "link.jsonl"));

test.each([
  { what: "an upstream", endpoint: "http://127.0.0.1:1" },
  { what: "no upstream", endpoint: "" },
  { what: "a file that exists", endpoint: urlOf("spans.jsonl") },
  { what: "a link to a file", endpoint: urlOf("link.jsonl") },
  { what: "a file that does not exist yet", endpoint: urlOf("new.jsonl") },
])("$what causes no warning", async ({ endpoint }) => {
  const before = readdirSync(root);

  expect(await warnings(endpoint)).toEqual([]);
  expect(readdirSync(root)).toEqual(before);
});

test.each([
  { name: "folder.jsonl", message: /^spans wait until .*folder\.jsonl is a regular file$/ },
  { name: "device.jsonl", message: /^spans wait until .*device\.jsonl is a regular file$/ },
  { name: "no/spans.jsonl", message: /^spans wait until .*no is writable: no such file/ },
  { name: "spans.jsonl/a.jsonl", message: /^spans wait until .* writable: it is not a folder$/ },
])("$name causes a warning", async ({ name, message }) => {
  const expected = { variable: "FORWARD_ENDPOINT", message: expect.stringMatching(message) };

  expect(await warnings(urlOf(...name.split("/")))).toEqual([expected]);
});

test("a start logs the warning and receives spans", async () => {
  const logger = new RecordingLogger();
  const server = await runServer({ FORWARD_ENDPOINT: urlOf("folder.jsonl") }, logger);
  const warned = logger.lines.filter(({ event }) => event === "configuration");
  await server.stop(0);

  expect(warned).toEqual([
    {
      level: "warning",
      event: "configuration",
      fields: {
        variable: "FORWARD_ENDPOINT",
        message: expect.stringMatching(/folder\.jsonl is a regular file$/),
      },
    },
  ]);
});
