import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { disagreement } from "../../support/decoded-request.ts";
import { fuzzRuns } from "../../support/fuzz-runs.ts";
import { handBuiltRequests } from "../../support/hand-built-requests.ts";
import { referenceWalk } from "../../support/reference-walk.ts";
import { byteChangeArbitrary, changed, requestArbitrary } from "../../support/request-arbitrary.ts";
import { answerOf } from "../../support/walk-answer.ts";

const limits = { spansPerRequest: 1_000, nestingDepth: 100 };
const walked = createWalkedRequest(limits);

function walk(bytes: Uint8Array) {
  walkRequest(walked, bytes);
  return answerOf(walked);
}

const anyHandBuilt = fc.constantFrom(...Object.values(handBuiltRequests));

// Goal: whatever an encoder may write is accepted, and means what protobufjs says it means.
// Method: random messages from the schema, in every form that the encoding allows.
test("any request of any shape is accepted, with the spans that protobufjs sees in it", () => {
  const property = fc.property(requestArbitrary, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
    expect(walked.fault).toBe(NO_FAULT);
    expect(disagreement(walked)).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(1_500) });
});

// Goal: on any bytes, hostile or not, the walk with its fast paths says what the plain one says.
// Method: requests and hand-built ones with a few bytes changed, added or taken out.
test("on any bytes the walk says the same as the plainest walk there is", () => {
  const bytes = fc
    .tuple(
      fc.oneof(requestArbitrary, anyHandBuilt),
      fc.array(byteChangeArbitrary, { maxLength: 3 }),
    )
    .map(([request, changes]) => changed(request, changes));

  const property = fc.property(bytes, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(6_000) });
});

test("whatever the walk accepts after a change, protobufjs decodes to the same spans", () => {
  const property = fc.property(anyHandBuilt, byteChangeArbitrary, (handBuilt, change) => {
    const isAccepted = walk(changed(handBuilt, [change])).fault === NO_FAULT;

    expect(isAccepted ? disagreement(walked) : undefined).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(6_000) });
});

test("bytes that are nothing at all are never an exception", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    expect(walk(bytes)).toEqual(referenceWalk(bytes, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(3_000) });
});
