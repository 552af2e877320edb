import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";
import { startServer } from "../../src/server/server.ts";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { runCommands } from "../support/running/run-command-line.ts";

// Goal: spans without a start, without an end, or with a parent of zeros, as real senders write
// them, are displayed correctly everywhere.
// Method: they are sent as OTLP/JSON to a complete receiver and read with the command line.

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const ROOT_ID = "b7ad6b7169203331";
const LOST_ID = "b7ad6b7169203399";
const FROM = { startTimeUnixNano: "1755519434000000000" };
const TO = { endTimeUnixNano: "1755519434100000000" };

const root = { spanId: ROOT_ID, name: "root", ...FROM, ...TO };
const child = { spanId: "b7ad6b7169203332", name: "child", parentSpanId: ROOT_ID };

/** Starts a receiver, sends it these spans of one trace, and returns a command line for it. */
async function receiverOf(...spans: object[]) {
  const env = { OTLP_GRPC_PORT: "off", OTLP_HTTP_PORT: "0", API_PORT: "0" };
  const reading = readConfig({ ...env, OTLP_HTTP_HOST: "127.0.0.1" });
  if (!reading.ok) throw new Error("the configuration is invalid");
  const parts = { config: reading.config, logger: new RecordingLogger(), version: "0.0.0" };
  const server = await startServer(parts);
  const ofTrace = spans.map((span) => ({ traceId: TRACE_ID, ...span }));
  await fetch(`http://127.0.0.1:${server.ports.http}/v1/traces`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: ofTrace }] }] }),
  });
  const url = `http://127.0.0.1:${server.ports.api}`;
  const spanring = (...argv: string[]) => runCommands([...argv, "--url", url], { columns: 100 });
  return { url, spanring, [Symbol.asyncDispose]: () => server.stop(0) };
}

test.each([
  {
    name: "no start",
    spans: [root, { ...child, endTimeUnixNano: "1755519434050000000" }],
    facts: /^2 spans, 1 service, 100 ms, began 20/,
    row: /└─ child {2}unknown_service {2}unknown$/,
    duration: "100000000",
  },
  {
    name: "a start of 0",
    spans: [root, { ...child, startTimeUnixNano: 0, endTimeUnixNano: "1755519434050000000" }],
    facts: /^2 spans, 1 service, 100 ms, began 20/,
    row: /└─ child {2}unknown_service {2}unknown$/,
    duration: "100000000",
  },
  {
    name: "no end",
    spans: [root, { ...child, startTimeUnixNano: "1755519434050000000" }],
    facts: /^2 spans, 1 service, 100 ms, began 20/,
    row: /└─ child {2}unknown_service {2}unknown {2} +▏$/,
    duration: "100000000",
  },
  {
    name: "no end, and no other span",
    spans: [{ spanId: ROOT_ID, name: "root", ...FROM }],
    facts: /^1 span, 1 service, duration unknown, began 20/,
    row: /root {2}unknown_service {2}unknown$/,
    duration: null,
  },
])("a span with $name has an unknown duration", async ({ spans, facts, row, duration }) => {
  await using receiver = await receiverOf(...spans);

  const tree = await receiver.spanring("traces", TRACE_ID);
  const list = await receiver.spanring("traces");
  const { traces } = (await (await fetch(`${receiver.url}/api/traces`)).json()) as {
    traces: object[];
  };

  const lines = tree.stdout.trimEnd().split("\n");
  expect(lines[1]).toMatch(facts);
  expect(lines.at(-1)).toMatch(row);
  expect(list.stdout).toMatch(duration === null ? / unknown {2}root / : / 100 ms {2}root /);
  expect(traces).toMatchObject([{ ...FROM, durationNano: duration }]);
});

test("a span without an end is found by name but not by minimum duration", async () => {
  await using receiver = await receiverOf({ spanId: ROOT_ID, name: "root", ...FROM });

  const long = await receiver.spanring("get", "--min-duration", "0s");
  const named = await receiver.spanring("get", "--name", "root");

  expect([long.exitCode, named.exitCode]).toEqual([1, 0]);
  expect(named.stdout).toMatch(/ root +unknown {2}0af76519\n$/);
});

test("a span whose parent is zeros is a root in trees, lists and waits", async () => {
  await using receiver = await receiverOf({ ...root, parentSpanId: "0000000000000000" });

  const tree = await receiver.spanring("traces", TRACE_ID);
  const list = await receiver.spanring("traces");
  const wait = await receiver.spanring("wait", "--name", "root", "--trace-complete");

  expect(tree.stdout.split("\n")[3]).toStartWith("  root  unknown_service  100 ms  █");
  expect(list.stdout).toContain("  100 ms  root [unknown_service]\n");
  expect(wait.exitCode).toBe(0);
});

test("a wait for a trace without a root names the missing parent", async () => {
  await using receiver = await receiverOf({ ...child, ...FROM, ...TO, parentSpanId: LOST_ID });
  const argv = ["wait", "--name", "child", "--trace-complete", "--timeout", "20ms"];

  const end = await receiver.spanring(...argv);

  expect(end).toMatchObject({ exitCode: 1, stdout: "" });
  expect(end.stderr).toBe(
    `spanring: 1 span matches, but the trace ${TRACE_ID} was not complete in time: no root ` +
      `arrived, and the parent ${LOST_ID} is missing\n`,
  );
});

test("a time may be in Unix seconds", async () => {
  await using receiver = await receiverOf(root);

  const before = await receiver.spanring("get", "--since", "1755519434");
  const after = await receiver.spanring("get", "--since", "1755519435");
  const unclear = await receiver.spanring("get", "--since", "17555194");

  expect([before.exitCode, after.exitCode, unclear.exitCode]).toEqual([0, 1, 2]);
  expect(unclear.stderr).toStartWith('spanring: --since is "17555194"; it must be a time (2026-');
});
