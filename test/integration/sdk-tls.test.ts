import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../src/config/config.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { notRun } from "../support/running/not-run.ts";
import { createdToken, secretFile } from "../support/running/token-files.ts";
import {
  EXPORTED_SPANS,
  MISSING_SDKS,
  PRESENT_SDKS,
  runSdk,
  type Sdk,
  type SdkProtocol,
} from "../support/sdk/secure-sdks.ts";
import { certificateFiles } from "../support/upstreams/certificate-files.ts";
import { type Certificate, makeCertificates } from "../support/upstreams/certificates.ts";

// Goal: the OpenTelemetry SDKs of Go, Python and Node export over TLS with a private authority, a
// token and a client certificate, by their standard variables only; a wrong one is refused.

const PROTOCOLS: readonly SdkProtocol[] = ["grpc", "http"];
const TESTS_OF_PAIR = 2;

for (const language of MISSING_SDKS) {
  const count = PROTOCOLS.length * TESTS_OF_PAIR;
  notRun(count, `the SDK of ${language} is missing; see scripts/setup.sh`);
}

const PAIRS = PRESENT_SDKS.flatMap((sdk) =>
  PROTOCOLS.map((protocol) => ({ language: sdk.language, protocol, sdk })),
);

const { authority, server, client, stranger } = makeCertificates();
const folder = temporaryFolder();

function pemFile(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const trusting = { OTEL_EXPORTER_OTLP_CERTIFICATE: pemFile("trusted.pem", authority.cert) };
const mistrusting = { OTEL_EXPORTER_OTLP_CERTIFICATE: pemFile("other.pem", stranger.cert) };

function identity(name: string, { cert, key }: Certificate): Environment {
  return {
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: pemFile(`${name}.pem`, cert),
    OTEL_EXPORTER_OTLP_CLIENT_KEY: pemFile(`${name}.key`, key),
  };
}

function bearing(token: string): Environment {
  return { OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${token}` };
}

/** Starts the program with TLS and a token, and maybe client certificates, for one protocol. */
async function startFor(sdk: Sdk, protocol: SdkProtocol, needsClientCertificate: boolean) {
  const { token, line } = await createdToken();
  const files = certificateFiles(temporaryFolder(), server, authority);
  const program = await startProgram({
    ...files.variables("OTLP_GRPC", needsClientCertificate),
    ...files.variables("OTLP_HTTP", needsClientCertificate),
    OTLP_AUTH_TOKENS_FILE: secretFile("sdk-tokens", line),
  });
  const port = protocol === "grpc" ? program.grpcPort : program.httpPort;
  const url = `https://localhost:${port}`;
  return {
    token,
    emit: (env: Environment) => runSdk(sdk, { protocol, url, env }),
    api: readApiClient(program.apiUrl),
    problems: async () => await (await fetch(`${program.apiUrl}/api/problems`)).text(),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Bounds the retries after failed handshakes, which SDKs take for an outage. */
function shortly({ twoSeconds }: Sdk): Environment {
  return { OTEL_EXPORTER_OTLP_TIMEOUT: twoSeconds };
}

test.each(PAIRS)(
  "the SDK of $language exports over $protocol with a private authority and a token",
  async ({ sdk, protocol }) => {
    await using receiver = await startFor(sdk, protocol, false);
    const token = bearing(receiver.token);

    const accepted = await receiver.emit({ ...trusting, ...token });
    const before = await receiver.problems();
    const withoutToken = await receiver.emit(trusting);
    const wrongToken = await receiver.emit({ ...trusting, ...bearing("wrong") });
    const problems = await receiver.problems();
    const wrongAuthority = await receiver.emit({ ...mistrusting, ...token, ...shortly(sdk) });
    const { spans } = await receiver.api.stats();

    expect(accepted).toMatchObject({ exitCode: 0 });
    expect(before).not.toContain('"reason"');
    expect([withoutToken, wrongToken].map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    expect(problems).toContain('"unauthenticated"');
    expect(wrongAuthority.output).toMatch(/certificate|handshake/i);
    expect(wrongAuthority.exitCode).toBe(1);
    expect(spans).toMatchObject({ received: EXPORTED_SPANS, accepted: EXPORTED_SPANS });
  },
);

test.each(PAIRS)(
  "the SDK of $language exports over $protocol with a client certificate, and not without",
  async ({ sdk, protocol }) => {
    await using receiver = await startFor(sdk, protocol, true);
    const base = { ...trusting, ...bearing(receiver.token) };

    const known = await receiver.emit({ ...base, ...identity("known", client) });
    const missing = await receiver.emit({ ...base, ...shortly(sdk) });
    const unknown = await receiver.emit({
      ...base,
      ...identity("unknown", stranger),
      ...shortly(sdk),
    });
    const { spans } = await receiver.api.stats();

    expect(known).toMatchObject({ exitCode: 0 });
    expect([missing, unknown].map(({ exitCode }) => exitCode)).toEqual([1, 1]);
    expect(spans).toMatchObject({ received: EXPORTED_SPANS, accepted: EXPORTED_SPANS });
  },
);
