import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { disagreement } from "../../support/requests/decoded-request.ts";
import { fuzzRuns } from "../../support/running/fuzz-runs.ts";
import { handBuiltRequests } from "../../support/requests/hand-built-requests.ts";
import { referenceWalk } from "../../support/oracles/reference-walk.ts";
import {
  byteChangeArbitrary,
  changed,
  requestArbitrary,
} from "../../support/requests/request-arbitrary.ts";
import { encodeShape, requestShapeArbitrary } from "../../support/requests/request-shape.ts";
import { answerOf } from "../../support/oracles/walk-answer.ts";

const limits = { spansPerRequest: 1_000, nestingDepth: 100 };
const walked = createWalkedRequest(limits);

function walk(bytes: Uint8Array) {
  walkRequest(walked, bytes);
  return answerOf(walked);
}

/** Spans that the fast path takes whole, some that it does not, heads of any width. */
const shaped = requestShapeArbitrary.map(encodeShape);
const handBuilt = fc.constantFrom(...Object.values(handBuiltRequests));
const anyValid = fc.oneof<fc.Arbitrary<Uint8Array>[]>(requestArbitrary, shaped, handBuilt);

/** With a few bytes changed, added or taken out. */
const damaged = fc
  .tuple(anyValid, fc.array(byteChangeArbitrary, { maxLength: 3 }))
  .map(([request, changes]) => changed(request, changes));

// Goal: whatever an encoder may write is accepted, and means what protobufjs says it means.
// Method: random messages from the schema, in every form that the encoding allows.
test("any request of any shape is accepted, with the spans that protobufjs sees in it", () => {
  const property = fc.property(requestArbitrary, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
    expect(walked.fault).toBe(NO_FAULT);
    expect(disagreement(walked)).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(1_000) });
});

// Goal: on any bytes, hostile or not, the walk with its fast paths says what the plain one says.
test("on any bytes the walk agrees with the plainest walk", () => {
  const property = fc.property(damaged, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(4_000) });
});

test("with any limits the walk agrees with the plainest walk", () => {
  const anyLimits = fc.record({
    spansPerRequest: fc.integer({ min: 1, max: 8 }),
    nestingDepth: fc.integer({ min: 1, max: 12 }),
  });

  const property = fc.property(damaged, anyLimits, (request, narrow) => {
    const narrowly = createWalkedRequest(narrow);
    walkRequest(narrowly, request);

    expect(answerOf(narrowly)).toEqual(referenceWalk(request, narrow));
  });

  fc.assert(property, { numRuns: fuzzRuns(4_000) });
});

test("protobufjs decodes a changed request that the walk accepts to the same spans", () => {
  const changedOnce = fc
    .tuple(fc.oneof(handBuilt, shaped), byteChangeArbitrary)
    .map(([request, change]) => changed(request, [change]));

  const property = fc.property(changedOnce, (request) => {
    const isAccepted = walk(request).fault === NO_FAULT;

    expect(isAccepted ? disagreement(walked) : undefined).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(4_000) });
});

test("bytes that are nothing at all are never an exception", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    expect(walk(bytes)).toEqual(referenceWalk(bytes, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(3_000) });
});
