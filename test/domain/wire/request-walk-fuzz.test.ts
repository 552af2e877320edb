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

/** Spans with tags of any width, some of which the fast path skips completely. */
const shaped = requestShapeArbitrary.map(encodeShape);
const handBuilt = fc.constantFrom(...Object.values(handBuiltRequests));
const anyValid = fc.oneof<fc.Arbitrary<Uint8Array>[]>(requestArbitrary, shaped, handBuilt);

/** Requests with a few bytes changed, added or removed. */
const damaged = fc
  .tuple(anyValid, fc.array(byteChangeArbitrary, { maxLength: 3 }))
  .map(([request, changes]) => changed(request, changes));

// Goal: everything that an encoder may write is accepted and read as by protobufjs.
// Method: random messages from the schema, in every form that the encoding allows.
test("requests of any shape are accepted, with the spans that protobufjs decodes", () => {
  const property = fc.property(requestArbitrary, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
    expect(walked.fault).toBe(NO_FAULT);
    expect(disagreement(walked)).toBeUndefined();
  });

  fc.assert(property, { numRuns: fuzzRuns(1_000) });
});

// Goal: the walk with its fast paths agrees with the reference walk on any bytes.
test("the walk agrees with the reference walk on any bytes", () => {
  const property = fc.property(damaged, (request) => {
    expect(walk(request)).toEqual(referenceWalk(request, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(4_000) });
});

test("the walk agrees with the reference walk under any limits", () => {
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

test("the walk does not throw for random bytes", () => {
  const property = fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    expect(walk(bytes)).toEqual(referenceWalk(bytes, limits));
  });

  fc.assert(property, { numRuns: fuzzRuns(3_000) });
});
