import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

const ROOT = join(import.meta.dir, "../..");
const ENV = { PATH: process.env["PATH"], SPANRING_BINARY: join(ROOT, "dist", "spanring") };

/** Runs a script on Node, beside `spanring/testing` as it is bundled for Node. */
async function runOnNode(script: string, flags: readonly string[] = []) {
  const outdir = temporaryFolder();
  const entrypoints = [join(ROOT, "src/testing/node.ts")];
  await Bun.build({ entrypoints, target: "node", outdir, naming: "testing.mjs" });
  writeFileSync(join(outdir, "script.mjs"), script);
  const command = ["node", ...flags, "script.mjs"];
  const child = Bun.spawn(command, { cwd: outdir, env: ENV, stdout: "pipe", stderr: "inherit" });
  return { stdout: await child.stdout.text(), exitCode: await child.exited };
}

const exampleWaitingFor = (name: string) => {
  const query = { service: "unknown_service", name };
  return exampleCalling(`waitFor(${JSON.stringify(query)}, { timeoutMs: 300 })`);
};

const exampleExpecting = (text: string) =>
  exampleCalling(`expect(${JSON.stringify(text)}, { timeoutMs: 300 })`);

const exampleCalling = (call: string) => `
import assert from "node:assert";
import { test } from "node:test";
import { startSpanring } from "./testing.mjs";

test("an order is traced", async () => {
  const ring = await startSpanring();
  const ids = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" };
  const attributes = [{ key: "http.route", value: { stringValue: "/orders" } }];
  const spans = [{ ...ids, name: "GET /orders", attributes }];
  await fetch(ring.endpoints.http + "/v1/traces", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }),
  });
  const [span] = await ring.${call};
  assert.strictEqual(span.attributes["http.route"], "/orders");
  await ring.stop();
});
`;

test("node:test finds a span, and shows a near miss if the name differs", async () => {
  const found = await runOnNode(exampleWaitingFor("GET /orders"), ["--test"]);
  const missed = await runOnNode(exampleWaitingFor("GET /order"), ["--test"]);

  expect(found.exitCode).toBe(0);
  expect(missed.exitCode).toBe(1);
  expect(missed.stdout).toContain('without name=GET /order, 1 match, such as "GET /orders"');
});

test("node:test checks an expectation, and shows what the nearest span has instead", async () => {
  const met = await runOnNode(exampleExpecting("http.route=/ord* & count=1"), ["--test"]);
  const missed = await runOnNode(exampleExpecting("http.route=/cart & count=1"), ["--test"]);

  expect(met.exitCode).toBe(0);
  expect(missed.exitCode).toBe(1);
  expect(missed.stdout).toContain("nearest: GET /orders (unknown_service)");
  expect(missed.stdout).toContain("expected http.route=/cart; found /orders");
  expect(missed.stdout).toContain('→ "GET /orders"');
});

test("a program on Node that forgets to stop its ring ends, and ends spanring", async () => {
  const { stdout, exitCode } = await runOnNode(`
import { startSpanring } from "./testing.mjs";
const ring = await startSpanring();
console.log(ring.endpoints.api);
`);

  const api = stdout.trim();
  expect(exitCode).toBe(0);
  expect(api).toStartWith("http://127.0.0.1:");
  await closed(api);
});

test("a kill of Node ends spanring", async () => {
  const { stdout, exitCode } = await runOnNode(`
import { startSpanring } from "./testing.mjs";
const ring = await startSpanring();
process.stdout.write(ring.endpoints.api, () => process.kill(process.pid, "SIGKILL"));
`);

  expect(exitCode).toBe(137);
  await closed(stdout);
});

/** Resolves when the port is closed, which takes a moment after the end of Node. */
async function closed(api: string): Promise<void> {
  const isOpen = () =>
    fetch(api).then(
      () => true,
      () => false,
    );
  while (await isOpen()) await Bun.sleep(5);
}
