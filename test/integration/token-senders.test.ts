import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import type { Environment } from "../../src/config/config.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { runProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { makeCertificates } from "../support/upstreams/certificates.ts";
import { createdToken as created, secretFile as fileOf } from "../support/running/token-files.ts";

const CLIENT = join(import.meta.dir, "../support/sdk/sdk-client.mjs");

test.each(["grpc", "http/protobuf", "http/json"])(
  "the SDK exports over %s with the token in OTEL_EXPORTER_OTLP_HEADERS, and not without",
  async (protocol) => {
    const { token, line } = await created();
    const file = fileOf("senders", line);
    await using program = await startProgram({ OTLP_AUTH_TOKENS_FILE: file });
    const url = protocol === "grpc" ? program.grpcUrl : `${program.httpUrl}/v1/traces`;
    const emitWith = async (env: Environment) => {
      const command = ["node", CLIENT, url, "none", protocol];
      const child = Bun.spawn(command, {
        env: { PATH: process.env["PATH"], ...env },
        stdout: "ignore",
        stderr: "pipe",
      });
      const stderr = await child.stderr.text();
      return { isExported: (await child.exited) === 0, stderr };
    };

    const refused = await emitWith({});
    const OTEL_EXPORTER_OTLP_HEADERS = `authorization=Bearer%20${token}`;
    const accepted = await emitWith({ OTEL_EXPORTER_OTLP_HEADERS });

    expect(refused).toEqual({
      isExported: false,
      stderr: expect.stringContaining("a token is required"),
    });
    expect(accepted).toEqual({ isExported: true, stderr: "" });
  },
);

test.each(["grpc", "http"] as const)(
  "a spanring forwards over %s with a token, and loses no span to a wrong one",
  async (protocol) => {
    const { token, line } = await created();
    const env = { OTLP_AUTH_TOKENS_FILE: fileOf("senders", line) };
    await using upstream = await startProgram(env);
    const port = protocol === "grpc" ? upstream.grpcPort : upstream.httpPort;
    const headers = fileOf("headers", "authorization=Bearer%20wrong");
    const forwarding = {
      FORWARD_ENDPOINT: `${protocol}://127.0.0.1:${port}`,
      FORWARD_HEADERS_FILE: headers,
      FORWARD_MAX_DELAY_MS: "0",
      FORWARD_RETRY_INITIAL_MS: "10",
      FORWARD_RETRY_MAX_MS: "10",
    };
    await using program = await startProgram(forwarding, { detached: true });
    const [own, far] = [program, upstream].map(({ apiUrl }) => readApiClient(apiUrl));
    await exportOverHttp(program.httpUrl, requestOf(3));
    await upstream.logged("problem");
    const refused = await own!.stats();
    writeFileSync(headers, `authorization=Bearer%20${token}`);
    process.kill(program.pid, "SIGHUP");
    await program.logged("forward_reloaded");
    // A stop sends what is left.
    await program.stop();

    expect(refused.spans).toMatchObject({ buffered: 3, undeliverable: 0 });
    expect((await far!.stats()).spans).toMatchObject({ received: 3, accepted: 3 });
  },
);

test("over TLS, commands send a token to a server that --ca makes trusted", async () => {
  const { token, line } = await created();
  const { authority, server } = makeCertificates();
  const tls = certificateFiles(temporaryFolder(), server, authority);
  const tokens = fileOf("tokens", line);
  await using program = await startProgram({
    OTLP_AUTH_TOKENS_FILE: tokens,
    API_AUTH_TOKENS_FILE: tokens,
    ...tls.variables("OTLP_HTTP"),
    ...tls.variables("API"),
  });
  const spans = fileOf("spans.binpb", "");
  writeFileSync(spans, requestOf(2));
  const [otlp, api] = [program.httpUrl, program.apiUrl].map((url) =>
    url.replace("http:", "https:"),
  );
  const to = ["--to", otlp!, "--ca", tls.caFile, spans];
  const from = ["--url", api!, "--ca", tls.caFile];
  const env = { SPANRING_TOKEN: token };

  const refused = [await runProgram(["send", ...to]), await runProgram(["get", ...from])];
  const sent = await runProgram(["send", ...to], env);
  const found = await runProgram(["get", ...from], env);

  expect(refused.map(({ exitCode }) => exitCode)).toEqual([3, 3]);
  expect(sent).toMatchObject({ exitCode: 0, stderr: "" });
  expect(found.stdout.trimEnd().split("\n").length).toBe(2);
});

test("a Unix socket requires tokens as a port does", async () => {
  const { token, line } = await created();
  const unix = join(temporaryFolder(), "api.sock");
  const env = { API_HOST: `unix:${unix}`, API_AUTH_TOKENS_FILE: fileOf("readers", line) };
  await using program = await startProgram(env);
  const statusWith = async (headers: Record<string, string>) =>
    (await fetch("http://localhost/api/stats", { unix, headers })).status;

  const statuses = [await statusWith({}), await statusWith({ "x-api-key": token })];
  await program.stop();

  expect(statuses).toEqual([401, 200]);
});

test("run and its command need no token, whatever the environment requires", async () => {
  const env = {
    PATH: process.env["PATH"],
    OTLP_AUTH_TOKENS_FILE: "/no/such/file",
    API_AUTH_TOKENS_FILE: "/no/such/file",
    SPANRING_TOKEN: "hunter2",
  };
  const emit = join(import.meta.dir, "../support/sdk/emit-by-environment.mjs");
  const ran = await runProgram(["run", "--expect", "name=GET /", "--", "node", emit], env);

  expect(ran).toMatchObject({ exitCode: 0 });
});
