import { expect, test } from "bun:test";
import { requestOf } from "../support/requests/request-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { COMMAND, FREE_PORTS } from "../support/running/running-program.ts";
import { KEEPING_OUTPUT, type ShownText, shownText } from "../support/running/shown-text.ts";

/** Runs the program on a terminal, and stops it by Ctrl-C after `use`. Returns what it showed. */
async function shownOnTerminal(
  env: Record<string, string>,
  use: (shown: ShownText) => Promise<void>,
): Promise<string> {
  const shown = shownText();
  const child = Bun.spawn(["sh", "-c", KEEPING_OUTPUT, "sh", ...COMMAND], {
    env: { PATH: process.env["PATH"], TERM: "xterm", ...FREE_PORTS, ...env },
    terminal: { data: (_, bytes) => shown.add(bytes) },
  });
  await use(shown);
  child.terminal?.write("\u0003");
  await child.exited;
  return shown.plain();
}

test("on a terminal, a start greets a person, and the first span is announced", async () => {
  const text = await shownOnTerminal({}, async (shown) => {
    await shown.has("spanring tail");
    const [, url = ""] = /export OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)/.exec(shown.plain())!;
    await exportOverHttp(url, requestOf(1));
    await shown.has("first span received");
  });

  expect(text).toMatch(/^spanring \S+ is listening$/m);
  expect(text).toContain("first span received: span 1 of shop\n");
  expect(text).not.toContain('{"time"');
});

test("after Ctrl-C on a terminal, the log begins a line, without counts of nothing", async () => {
  const text = await shownOnTerminal({}, async (shown) => {
    await shown.has("spanring tail");
  });

  const hint = 'hint="a second signal ends the grace period"';
  expect(text).toContain("^C\n");
  expect(text).toMatch(
    new RegExp(`^\\d\\d:\\S+ INFO +stopping signal=SIGINT grace_ms=5000 ${hint}$`, "m"),
  );
  expect(text).toMatch(/^\d\d:\S+ INFO +stopped capacity\.spans=10000 /m);
});

test("on a terminal, LOG_FORMAT=json writes the log as everywhere else", async () => {
  const text = await shownOnTerminal({ LOG_FORMAT: "json" }, (shown) =>
    shown.has('"event":"ready"'),
  );

  const log = text.split("\n").filter((line) => line.startsWith("{"));
  expect(log.map((line) => JSON.parse(line).event)).toContain("stopped");
  expect(text).not.toContain("is listening");
});
