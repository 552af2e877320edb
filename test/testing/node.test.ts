import { expect, test } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startSpanring } from "../../src/testing/node.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { RING_KINDS } from "../support/testing/ring-kinds.ts";

const [, inItsOwnProcess] = RING_KINDS;

/** Starts what `startSpanring` starts if `SPANRING_BINARY` is this path. */
async function startFrom(path: string) {
  const before = process.env["SPANRING_BINARY"];
  process.env["SPANRING_BINARY"] = path;
  try {
    return await startSpanring();
  } finally {
    process.env["SPANRING_BINARY"] = before;
  }
}

/** Writes a stand-in for the executable, which logs these lines and then waits. */
function executableThatLogs(lines: readonly object[]): string {
  const path = join(temporaryFolder(), "spanring");
  const text = lines.map((line) => JSON.stringify(line)).join("\n");
  writeFileSync(path, `#!/bin/sh\ncat >&2 <<'END'\n${text}\nEND\nexec sleep 600\n`);
  chmodSync(path, 0o755);
  return path;
}

test("a missing executable is reported", async () => {
  const starting = startFrom(join(temporaryFolder(), "missing"));

  expect(await starting.catch(String)).toContain("ENOENT");
});

test("a port in use is reported with the lines of the log", async () => {
  await using ring = await inItsOwnProcess!.startSpanring();
  const { port } = new URL(ring.endpoints.http);

  const second = await startSpanring({ env: { OTLP_HTTP_PORT: port } }).catch(String);

  expect(second).toContain("spanring has ended");
  expect(second).toContain("the port is in use");
});

test("an error in the log rejects later calls with the reason", async () => {
  const error = { level: "ERROR", event: "receive_failed", reason: "unforeseen" };
  const path = executableThatLogs([error, { level: "INFO", event: "ready" }]);
  await using ring = await startFrom(path);

  expect(await ring.spans().catch(String)).toBe(
    'Error: spanring has failed: receive_failed {"reason":"unforeseen"}',
  );
});
