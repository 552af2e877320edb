import { expect, test } from "bun:test";
import { join } from "node:path";
import { ProtobufSpanCodec } from "../../src/adapters/otlp/span-codec.ts";
import type { TraceSpan } from "../../src/domain/trace-span.ts";
import { type EmittedSpan, traceSpanOf } from "../support/requests/emitted-span.ts";
import { expectedOtlpJson } from "../support/oracles/expected-otlp-json.ts";
import { readApiClient } from "../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../support/running/running-program.ts";

// Goal: a reader receives every field of the spans that an application emits with the real SDK.
// Method: the client prints each span as the SDK represents it, and the test converts it to OTLP.

const CLIENT = join(import.meta.dir, "../support/sdk/sdk-client.mjs");

const RUNTIMES = { Node: "node", Bun: process.execPath };

interface Emission {
  readonly spans: readonly TraceSpan[];
  readonly report: { readonly exports: number; readonly errors: readonly string[] };
}

const PROTOCOLS = ["grpc", "http/protobuf", "http/json"] as const;

const cases = (["Node", "Bun"] as const).flatMap((runtime) =>
  PROTOCOLS.flatMap((protocol) =>
    (["none", "gzip"] as const).map((compression) => ({ runtime, protocol, compression })),
  ),
);

test.each(cases)(
  "every field of the SDK's spans is read back: $runtime, $protocol, $compression",
  async (given) => {
    await using program = await startProgram();
    const api = readApiClient(program.apiUrl);

    const { spans, report } = await emit(given, program);
    const json = spansInJson(await api.spansAsJson(1000));
    const decoded = new ProtobufSpanCodec().decode(await api.takeAsBytes(1000));
    const stats = await api.stats();

    expect(report).toEqual({ exports: 7, errors: [] });
    expect(inOrder(decoded, "spanId")).toStrictEqual(inOrder(spans, "spanId"));
    expect(json).toStrictEqual(spansInJson(expectedOtlpJson(inOrder(spans, "spanId"))));
    expect(stats.spans).toMatchObject({ received: spans.length, rejected: 0, taken: spans.length });
  },
);

test("the client sets every field of a span that the SDK can set", async () => {
  await using program = await startProgram();

  const { spans } = await emit({ runtime: "Bun", protocol: "grpc", compression: "none" }, program);

  const [first, ...others] = spans.map(emptyFieldsOf);
  const neverSet = [...first!].filter((name) => others.every((empty) => empty.has(name)));
  expect(neverSet.toSorted()).toEqual([
    "resource.droppedAttributesCount",
    "resource.entityRefs",
    "scope.attributes",
    "scope.droppedAttributesCount",
  ]);
});

/** Runs the client until it ends; returns its spans and its report. */
async function emit(given: (typeof cases)[number], program: RunningProgram): Promise<Emission> {
  const { runtime, protocol, compression } = given;
  const url = protocol === "grpc" ? program.grpcUrl : `${program.httpUrl}/v1/traces`;
  const command = [RUNTIMES[runtime], CLIENT, url, compression, protocol];
  const child = Bun.spawn(command, { env: { PATH: process.env["PATH"] }, stderr: "inherit" });
  const lines = (await child.stdout.text()).trimEnd().split("\n");
  const printed = lines.map((line): { span?: EmittedSpan; report?: Emission["report"] } =>
    JSON.parse(line),
  );
  const spans = printed.flatMap(({ span }) => (span === undefined ? [] : [traceSpanOf(span)]));
  return { spans, report: printed.at(-1)?.report ?? { exports: 0, errors: ["no report"] } };
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly spanId: string }[] }[];
  }[];
}

/** Returns each span with its resource and scope, however grouped, in order of identifiers. */
function spansInJson(json: unknown) {
  const spans = (json as JsonRequest).resourceSpans.flatMap(({ scopeSpans, ...resource }) =>
    scopeSpans.flatMap(({ spans: inScope, ...scope }) =>
      inScope.map((span) => ({ ...span, resource, scope })),
    ),
  );
  return inOrder(spans, "spanId");
}

function inOrder<Key extends string, Item extends Readonly<Record<Key, string>>>(
  items: readonly Item[],
  key: Key,
): Item[] {
  return items.toSorted((one, other) => (one[key] < other[key] ? -1 : 1));
}

/** Returns the paths of the fields that have their default values. */
function emptyFieldsOf(span: TraceSpan): Set<string> {
  const entries = [
    ...Object.entries(span),
    ...Object.entries(span.resource).map(([name, value]) => [`resource.${name}`, value] as const),
    ...Object.entries(span.scope).map(([name, value]) => [`scope.${name}`, value] as const),
    ...Object.entries(span.status).map(([name, value]) => [`status.${name}`, value] as const),
  ];
  return new Set(entries.filter(([, value]) => isEmpty(value)).map(([name]) => name));
}

function isEmpty(value: unknown): boolean {
  return value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
}
