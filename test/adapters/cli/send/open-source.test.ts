import { expect, test } from "bun:test";
import { runCommands } from "../../../support/running/run-command-line.ts";

const TOPIC = "kafka://broker:9092/spans";

test.each([
  { argv: [], message: "FILE... is missing; --from sends a Kafka topic instead" },
  { argv: ["--since", "1m", "a.jsonl"], message: "--since requires --from" },
  { argv: ["--follow", "a.jsonl"], message: "--follow requires --from" },
  { argv: ["--from", TOPIC, "a.jsonl"], message: "--from cannot be combined with FILE" },
  {
    argv: ["--from", TOPIC, "--to", TOPIC],
    message: "--from and --to cannot both be Kafka topics",
  },
  {
    argv: ["--from", TOPIC, "--since", "yesterday"],
    message: "--since must be RFC 3339, a date, a Unix time, or a time ago, such as 10m",
  },
  {
    argv: ["--from", "http://broker:9092/spans"],
    message:
      '--from is "http://broker:9092/spans"; it must be kafka://BROKER:PORT/TOPIC, or kafkas:// ' +
      "with TLS; several brokers are separated by commas",
  },
])("send $argv is refused: $message", async ({ argv, message }) => {
  const end = await runCommands(["send", ...argv]);

  expect(end).toEqual({ ...end, exitCode: 2, stdout: "", stderr: `spanring: ${message}\n` });
});

test("a mistake in a file of the settings is reported, and nothing is read", async () => {
  const mistakes = [{ variable: "FORWARD_TLS_CA_FILE", value: "x", bound: "a readable file" }];

  const end = await runCommands(["send", "--from", TOPIC], {
    openTopic: async () => ({ ok: false, mistakes }) as const,
  });

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toBe('spanring: FORWARD_TLS_CA_FILE="x": must be a readable file\n');
});
