/** Runs in a Worker: appends and takes on the given ring until it is stopped. */
import { ProtobufSpanCodec } from "../../../src/adapters/otlp/span-codec.ts";
import { ObservabilityBuffer } from "../../../src/application/ring/observability-buffer.ts";
import { walkRequest } from "../../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../../src/domain/wire/walked-request.ts";
import type { RivalTask } from "./latency-rival-client.ts";

declare const self: Worker;

/** Spans taken after each request, so that parts of blocks are copied under the lock as well. */
const SPANS_TAKEN = 64;

self.addEventListener("message", ({ data }: MessageEvent<RivalTask>) => work(data));

function work({ shared, request, stopWord }: RivalTask): void {
  const buffer = ObservabilityBuffer.open(shared, { codec: new ProtobufSpanCodec() });
  const walked = createWalkedRequest({ spansPerRequest: 100_000, nestingDepth: 100 });
  tellParent("begun");
  while (Atomics.load(stopWord, 0) === 0) {
    walkRequest(walked, request);
    buffer.append(walked);
    buffer.take(SPANS_TAKEN);
  }
  tellParent("ended");
}

function tellParent(word: string): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a Worker has none
  self.postMessage(word);
}
