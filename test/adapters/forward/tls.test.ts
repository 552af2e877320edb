import { afterEach, expect, test } from "bun:test";
import { ServerCredentials } from "@grpc/grpc-js";
import { GrpcSink } from "../../../src/adapters/forward/grpc-sink.ts";
import { HttpSink } from "../../../src/adapters/forward/http-sink.ts";
import type { TlsMaterial } from "../../../src/adapters/forward/forward-files.ts";
import { SecretText } from "../../../src/domain/text/quote-text.ts";
import type { SendOutcome, SpanSink } from "../../../src/ports/span-sink.ts";
import { type Certificate, makeCertificates } from "../../support/upstreams/certificates.ts";
import { grpcSuccess, startGrpcUpstream } from "../../support/upstreams/grpc-upstream.ts";
import { startHttpUpstream } from "../../support/upstreams/http-upstream.ts";
import { exportSuccess } from "../../support/upstreams/otlp-receiver.ts";
import { GRPC_PARTS, HTTP_PARTS } from "../../support/upstreams/sink-upstreams.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";

// Goal: spans are sent only to the intended upstream. Method: both sinks connect by name and by
// address to upstreams with valid and invalid certificates.

const { authority, server, misnamed, client, stranger } = makeCertificates();

const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface TlsCase {
  readonly name: string;
  /** The certificate of the upstream. */
  readonly by: Certificate;
  /** Whether it requires a client certificate by its authority. */
  readonly requiresClient?: boolean;
  readonly tls: TlsMaterial | undefined;
  readonly outcome: SendOutcome["outcome"];
  /** A part of the hint. */
  readonly hint?: string;
}

function material(files: Partial<Record<"ca" | "cert" | "key", string>>): TlsMaterial {
  const bytes = Object.entries(files).map(([name, pem]) => [name, Buffer.from(pem)]);
  return { ...Object.fromEntries(bytes), rejectUnauthorized: true } as TlsMaterial;
}

const ROOT = material({ ca: authority.cert });
const NO_ROOT = material({});
const KNOWN = material({ ca: authority.cert, cert: client.cert, key: client.key });
const UNKNOWN = material({ ca: authority.cert, cert: stranger.cert, key: stranger.key });

const unchecked = (tls: TlsMaterial): TlsMaterial => ({ ...tls, rejectUnauthorized: false });

const CASES: readonly TlsCase[] = [
  { name: "a known authority", by: server, tls: ROOT, outcome: "delivered" },
  { name: "an unknown authority", by: server, tls: NO_ROOT, outcome: "retry", hint: "_CA_FILE" },
  { name: "another authority", by: stranger, tls: ROOT, outcome: "retry", hint: "_CA_FILE" },
  { name: "another host's name", by: misnamed, tls: ROOT, outcome: "retry", hint: "_ENDPOINT" },
  { name: "any authority, unchecked", by: stranger, tls: unchecked(NO_ROOT), outcome: "delivered" },
  { name: "another name, unchecked", by: misnamed, tls: unchecked(ROOT), outcome: "delivered" },
  { name: "a known client", by: server, requiresClient: true, tls: KNOWN, outcome: "delivered" },
  {
    name: "a client without a certificate",
    by: server,
    requiresClient: true,
    tls: ROOT,
    outcome: "retry",
    hint: "_CERT_FILE",
  },
  { name: "an unknown client", by: server, requiresClient: true, tls: UNKNOWN, outcome: "retry" },
];

test.each([
  ...CASES,
  { name: "a client without TLS", by: server, tls: undefined, outcome: "retry" } as TlsCase,
])("gRPC with $name: $outcome", async ({ by, requiresClient = false, tls, outcome, hint }) => {
  const pair = { private_key: Buffer.from(by.key), cert_chain: Buffer.from(by.cert) };
  const credentials = ServerCredentials.createSsl(
    Buffer.from(authority.cert),
    [pair],
    requiresClient,
  );
  const { port, stop } = await startGrpcUpstream(() => grpcSuccess(), { credentials });
  ends.push(stop);

  const byAddress = await outcomeOf(new GrpcSink({ ...GRPC_PARTS, port, tls }));
  const byName = await outcomeOf(new GrpcSink({ ...GRPC_PARTS, host: "localhost", port, tls }));

  expect([byAddress, byName]).toMatchObject([expected(outcome, hint), expected(outcome, hint)]);
});

test.each(CASES)(
  "HTTP with $name: $outcome",
  async ({ by, requiresClient = false, tls, outcome, hint }) => {
    const { cert, key } = by;
    const { cert: ca } = authority;
    const clientAuth = requiresClient ? { ca, requestCert: true, rejectUnauthorized: true } : {};
    const { port, stop } = startHttpUpstream(accept, { tls: { cert, key, ...clientAuth } });
    ends.push(stop);
    const urls = ["127.0.0.1", "localhost"].map(
      (host) => new SecretText(`https://${host}:${port}`),
    );

    const [byAddress, byName] = urls.map((url) => new HttpSink({ ...HTTP_PARTS, url, tls }));

    expect([await outcomeOf(byAddress!), await outcomeOf(byName!)]).toMatchObject([
      expected(outcome, hint),
      expected(outcome, hint),
    ]);
  },
);

function accept(): Response {
  return exportSuccess("application/x-protobuf");
}

function expected(outcome: string, hint: string | undefined): object {
  return { outcome, ...(hint === undefined ? {} : { hint: expect.stringContaining(hint) }) };
}

async function outcomeOf(sink: SpanSink): Promise<SendOutcome> {
  ends.push(() => sink.close());
  return await sink.send(batchOf(1), never);
}
