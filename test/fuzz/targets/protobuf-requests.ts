import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { referenceWalk } from "../../support/oracles/reference-walk.ts";
import { answerOf } from "../../support/oracles/walk-answer.ts";
import { disagreement } from "../../support/requests/decoded-request.ts";
import { base64, payloadTarget } from "../fuzz-target.ts";
import { protobufMessage } from "../grammar/protobuf-grammar.ts";
import { mutated } from "../mutation.ts";

const LIMITS = { spansPerRequest: 1_000, nestingDepth: 100 };
const walked = createWalkedRequest(LIMITS);

/**
 * Checks that the walk agrees with the reference walk, and that it finds the spans that protobufjs
 * finds in accepted requests.
 */
export const PROTOBUF_REQUESTS = payloadTarget<Uint8Array<ArrayBuffer>>({
  name: "protobuf",
  share: 45,
  build: (random) => {
    const message = Uint8Array.from(protobufMessage(random));
    return random.chance(0.3) ? message : mutated(message, random);
  },
  check: (payload) => {
    walkRequest(walked, payload);
    const answer = answerOf(walked);
    const expected = referenceWalk(payload, LIMITS);
    if (!Bun.deepEquals(answer, expected))
      return `the walk says ${JSON.stringify(answer)}, not ${JSON.stringify(expected)}`;
    return walked.fault === NO_FAULT ? disagreement(walked) : undefined;
  },
  show: base64,
});
