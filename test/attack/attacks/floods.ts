import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { FLAG, frame, FRAME } from "../../support/grpc/grpc-wire.ts";
import type { Attack, Field, Listener } from "../attack-case.ts";
import { http2Talk, type Http2State, opensCall, repeated, uint32 } from "../wire/http2-talk.ts";
import { besiege } from "../wire/siege.ts";

const PRIORITY = 0x2;
const UNKNOWN = 0xee;
const CANCEL = uint32(8);
const FRAMES_TOGETHER = 512;

/** Frames without a stream, or for a stream that is not open. */
const FRAMES: Readonly<Record<string, Uint8Array>> = {
  priority: frame({ type: PRIORITY, streamId: 1 }, Buffer.from([0, 0, 0, 3, 16])),
  unknown: frame({ type: UNKNOWN }, Buffer.alloc(8)),
  ping: frame({ type: FRAME.ping }, Buffer.alloc(8)),
  settings: frame({ type: FRAME.settings }),
  "window-update": frame({ type: FRAME.windowUpdate }, uint32(1)),
};

function flood(
  field: Field,
  listener: Listener,
  next: (state: Http2State) => Uint8Array,
): Promise<void> {
  const talk = () => http2Talk(field.tally, next);
  return besiege(field, { listener, connections: field.size(8, 4), talk });
}

/** Returns the first frames of a header block that never ends. */
function endlessBlock({ open, nextStream }: Http2State): Uint8Array {
  const [streamId] = open;
  if (streamId === undefined) return frame({ type: FRAME.headers, streamId: nextStream() });
  return repeated(frame({ type: FRAME.continuation, streamId }), FRAMES_TOGETHER);
}

/** Returns calls that are cancelled at once. */
function rapidReset(path: string): (state: Http2State) => Uint8Array {
  return ({ open, nextStream }) => {
    const calls = Array.from({ length: 64 }, () => {
      const streamId = nextStream();
      open.delete(streamId);
      const cancel = frame({ type: FRAME.resetStream, streamId }, CANCEL);
      return Buffer.concat([opensCall(streamId, path, {}, FLAG.endStream), cancel]);
    });
    return Buffer.concat(calls);
  };
}

export const FLOODS: readonly Attack[] = (["grpc", "http"] as const).flatMap((listener) => [
  ...Object.entries(FRAMES).map(([kind, bytes]): Attack => ({
    name: `${listener}-${kind}-flood`,
    does: `8 connections send frames of the kind ${kind} to the ${listener} port without end`,
    expected: "holds",
    run: (field) => flood(field, listener, () => repeated(bytes, FRAMES_TOGETHER)),
  })),
  {
    name: `${listener}-continuation-flood`,
    does: `8 connections send empty CONTINUATION frames to the ${listener} port without end`,
    expected: "holds",
    run: (field) => flood(field, listener, endlessBlock),
  } satisfies Attack,
  {
    name: `${listener}-rapid-reset`,
    does: `8 connections open calls on the ${listener} port and cancel them at once`,
    expected: "holds",
    run: (field) =>
      flood(field, listener, rapidReset(listener === "grpc" ? EXPORT_PATH : "/v1/traces")),
  } satisfies Attack,
]);
