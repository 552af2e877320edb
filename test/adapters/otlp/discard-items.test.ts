import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { discardItems } from "../../../src/adapters/otlp/discard-items.ts";
import {
  UNSUPPORTED_SIGNALS,
  UnsupportedSignals,
} from "../../../src/application/receiving/unsupported-signals.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { signalRequests, THREE_ITEMS } from "../../support/requests/signal-requests.ts";
import { randomFrom, wildJson } from "../../support/requests/wild-json.ts";

const PROTOBUF = { protocol: "http", format: "protobuf" } as const;
const JSON_FORMAT = { protocol: "http", format: "json" } as const;

function parts() {
  return {
    unsupported: new UnsupportedSignals(),
    nestingDepth: 100,
  };
}

// Goal: every data point and log record is counted at any nesting, in both encodings.
// Method: random requests, whose builder knows the number of items.
test.each(UNSUPPORTED_SIGNALS)("all items of any request of %s are counted", (signal) => {
  const discarding = parts();
  const property = fc.property(signalRequests[signal], fc.integer(), (request, seed) => {
    const json = Buffer.from(wildJson(JSON.parse(request.json), randomFrom(seed)));
    const answers = [
      discardItems(request.encoded, { signal, ...PROTOBUF }, discarding),
      discardItems(json, { signal, ...JSON_FORMAT }, discarding),
    ];

    expect(answers).toMatchObject([
      { outcome: "unsupported", signal, rejectedItems: request.items },
      { outcome: "unsupported", signal, rejectedItems: request.items },
    ]);
  });

  fc.assert(property, { numRuns: fuzzRuns(200) });
});

test.each(UNSUPPORTED_SIGNALS)("unreadable %s are malformed and not counted", (signal) => {
  const discarding = parts();
  const { encoded, json } = THREE_ITEMS[signal];
  const cutJson = Buffer.from(json.slice(0, -1));

  const answers = [
    discardItems(encoded.subarray(0, -1), { signal, ...PROTOBUF }, discarding),
    discardItems(cutJson, { signal, ...JSON_FORMAT }, discarding),
  ];

  expect(answers).toEqual([
    { outcome: "malformed", message: `the message is not an export request for ${signal}` },
    { outcome: "malformed", message: expect.stringMatching(/^not OTLP\/JSON: at byte \d+: /) },
  ]);
  expect(discarding.unsupported.counts[signal]).toEqual({ grpc: 0, http: 0 });
});
