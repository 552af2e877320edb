import { assert } from "../../domain/assert.ts";
import { walkRequest } from "../../domain/wire/request-walk.ts";
import { NO_FAULT } from "../../domain/wire/walk-fault.ts";
import { createWalkedRequest, type WalkedRequest } from "../../domain/wire/walked-request.ts";

/** Requests were logged with any depth that spanring supports. */
const NESTING_DEPTH = 100;
const USUAL_SPANS = 1024;

/** Walks requests that were read from the log, which were valid when they were logged. */
export class StoredWalk {
  // Replaced by a larger one when a request needs it.
  private walked = walkedFor(USUAL_SPANS);

  /** Returns the walk of a request, valid until the next call. */
  of(request: Uint8Array, spanCount: number): WalkedRequest {
    if (spanCount > this.walked.limits.spansPerRequest) this.walked = walkedFor(spanCount);
    walkRequest(this.walked, request);
    assert(this.walked.fault === NO_FAULT, "a logged request is valid");
    assert(this.walked.spanCount === spanCount, "a logged request has all its spans");
    return this.walked;
  }
}

function walkedFor(spansPerRequest: number): WalkedRequest {
  return createWalkedRequest({ spansPerRequest, nestingDepth: NESTING_DEPTH });
}
