import { NO_FAULT } from "../../../src/domain/wire/walk-fault.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";

const walked = createWalkedRequest({ spansPerRequest: 1000, nestingDepth: 100 });

/** Reports whether the wire walk accepts these bytes, with the default depth. */
export function isAccepted(request: Uint8Array): boolean {
  walkRequest(walked, request);
  return walked.fault === NO_FAULT;
}
