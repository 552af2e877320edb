import { expect, test } from "bun:test";
import type { ForwardConfig } from "../../../../src/config/config.ts";
import type { Environment } from "../../../../src/config/config.ts";
import { FakeSink } from "../../../support/fakes/fake-sink.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";
import { filesIn, REQUESTS } from "../../../support/upstreams/sending.ts";

const BARE = filesIn(temporaryFolder())("bare.bin", REQUESTS[0]);

/** Sends a file in this environment; returns the settings of the sink as well. */
async function settingsFor(env: Environment, to = "kafka://broker/spans") {
  const opened: ForwardConfig[] = [];
  const openSink = async (forward: ForwardConfig) => {
    opened.push(forward);
    return { ok: true, sink: new FakeSink() } as const;
  };
  const end = await runCommands(["send", "--to", to, BARE], { env, openSink });
  return { ...end, opened };
}

test("the topic and its brokers are those of the address", async () => {
  const { opened } = await settingsFor({}, "kafkas://one,two:9093/otlp_spans");

  expect(opened[0]).toMatchObject({
    endpoint: {
      brokers: [
        { host: "one", port: 9092 },
        { host: "two", port: 9093 },
      ],
      topic: "otlp_spans",
      isSecure: true,
    },
    compression: "gzip",
    kafkaKey: "none",
  });
});

test("the variables of forwarding apply, and others of spanring do not", async () => {
  const { exitCode, stderr, opened } = await settingsFor({
    FORWARD_ENDPOINT: "KAFKA://elsewhere/other",
    FORWARD_COMPRESSION: "zstd",
    FORWARD_KAFKA_KEY: "trace_id",
    FORWARD_SASL_MECHANISM: "SCRAM-SHA-512",
    FORWARD_SASL_USERNAME_FILE: "user",
    FORWARD_SASL_PASSWORD_FILE: "password",
    OTLP_GRPC_PORT: "none",
    MAX_BUFFER_SIZE: "0",
  });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(opened[0]).toMatchObject({
    endpoint: { brokers: [{ host: "broker", port: 9092 }], topic: "spans" },
    compression: "zstd",
    kafkaKey: "trace_id",
    sasl: { mechanism: "SCRAM-SHA-512", usernameFile: "user", passwordFile: "password" },
  });
});

test("the headers of an upstream that is not Kafka are not sent to the brokers", async () => {
  const { exitCode, opened } = await settingsFor({
    FORWARD_ENDPOINT: "https://collector:4318",
    FORWARD_HEADERS: "authorization=secret",
    FORWARD_TLS_CA_FILE: "ca.pem",
  });

  expect(exitCode).toBe(0);
  expect(opened[0]).toMatchObject({ headers: [], tls: { caFile: "" } });
});

test("every mistake in the variables and the address is listed", async () => {
  const end = await settingsFor({
    FORWARD_COMPRESSION: "brotli",
    FORWARD_TLS_CA_FILE: "ca.pem",
  });
  const address = await settingsFor({}, "kafka://me:secret@broker/spans");

  expect(end).toMatchObject({ exitCode: 2, stdout: "", opened: [] });
  expect(end.stderr).toContain('FORWARD_COMPRESSION="brotli": must be ');
  expect(end.stderr).toContain('\n  FORWARD_TLS_CA_FILE="ca.pem": must be unset for ');
  expect(address).toMatchObject({ exitCode: 2, opened: [] });
  expect(address.stderr).toBe(
    'spanring: --to is "kafka://***@broker/spans"; it must be kafka://BROKER:PORT/TOPIC, or ' +
      "kafkas:// with TLS; several brokers are separated by commas\n",
  );
});

test("a mistake in a file of the settings is reported, and nothing is sent", async () => {
  const mistakes = [{ variable: "FORWARD_SASL_TOKEN_FILE", value: "t", bound: "a readable file" }];

  const end = await runCommands(["send", "--to", "kafka://broker/spans", BARE], {
    openSink: async () => ({ ok: false, mistakes }) as const,
  });

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toBe('spanring: FORWARD_SASL_TOKEN_FILE="t": must be a readable file\n');
});

test("warnings about the variables are printed", async () => {
  const end = await settingsFor({
    FORWARD_SASL_MECHANISM: "PLAIN",
    FORWARD_SASL_USERNAME_FILE: "user",
    FORWARD_SASL_PASSWORD_FILE: "password",
  });

  expect(end.exitCode).toBe(0);
  expect(end.stderr).toStartWith("spanring: warning: FORWARD_SASL_MECHANISM: PLAIN sends ");
});
