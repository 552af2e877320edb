import { requestFromJson } from "../../../src/adapters/otlp/json/json-request.ts";
import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import { base64, payloadTarget } from "../fuzz-target.ts";
import { jsonMessage } from "../grammar/json-grammar.ts";
import { mutated } from "../mutation.ts";

const LIMITS = { spansPerRequest: 1_000, nestingDepth: 100 };
const walked = createWalkedRequest(LIMITS);

/**
 * Checks that the reader refuses everything that JSON.parse refuses, that accepted requests can be
 * walked, and that their JSON is converted to the same JSON again.
 */
export const JSON_REQUESTS = payloadTarget<Uint8Array<ArrayBuffer>>({
  name: "json",
  share: 35,
  build: (random) => {
    const text = new TextEncoder().encode(jsonMessage(random));
    return random.chance(0.4) ? text : mutated(text, random);
  },
  check: (payload) => {
    const reading = requestFromJson(payload, LIMITS);
    if (!reading.ok) return reading.message === "" ? "refused without a message" : undefined;
    if (!isJson(payload)) return "accepted, although it is not JSON";
    walkRequest(walked, reading.request);
    if (walked.fault !== NO_FAULT) return `its protobuf has fault ${walked.fault}`;
    const json = otlpJson(reading.request);
    const again = requestFromJson(new TextEncoder().encode(json), LIMITS);
    if (!again.ok) return `its own JSON is refused: ${again.message}`;
    return otlpJson(again.request) === json ? undefined : `its JSON is not stable: ${json}`;
  },
  show: base64,
});

function isJson(bytes: Uint8Array): boolean {
  try {
    JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
    return true;
  } catch {
    return false;
  }
}
