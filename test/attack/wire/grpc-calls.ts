import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { dataFrames, FLAG, frame, FRAME, grpcMessage } from "../../support/grpc/grpc-wire.ts";
import type { Field } from "../attack-case.ts";
import { http2Talk, once, opensCall, repeated } from "./http2-talk.ts";
import { besiege } from "./siege.ts";

export interface Calls {
  readonly connections: number;
  /** The number of open calls per connection. */
  readonly openCalls: number;
  readonly message: Uint8Array;
  /** The first byte of the message prefix: 1 if compressed. */
  readonly flag?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly reads?: boolean;
}

/** Sends complete calls, one after the other and several at a time. */
export function pourCalls(field: Field, calls: Calls): Promise<void> {
  const body = grpcMessage(calls.message, calls.flag ?? 0);
  const talk = () =>
    http2Talk(field.tally, (state) => {
      if (state.open.size >= calls.openCalls || state.room(0) < body.length) return undefined;
      const streamId = state.nextStream();
      state.spend(streamId, body.length);
      const opening = opensCall(streamId, EXPORT_PATH, calls.headers);
      return Buffer.concat([opening, dataFrames(streamId, body, FLAG.endStream)]);
    });
  const { connections, reads = true } = calls;
  return besiege(field, { listener: "grpc", connections, reads, talk });
}

export interface Fragments {
  readonly connections: number;
  readonly streams: number;
  /**
   * The first bytes of a stream: the prefix of a message, which announces more than will be sent.
   */
  readonly prefix: Uint8Array;
  /** The size of each DATA frame that follows. */
  readonly frameBytes: number;
}

/**
 * Opens streams with an unfinished message, sent in frames of one size as far as their windows
 * allow.
 */
export function pourFragments(field: Field, fragments: Fragments): Promise<void> {
  const { connections, streams, prefix, frameBytes } = fragments;
  const talk = () => {
    let turn = 0;
    return http2Talk(field.tally, (state) => {
      if (state.open.size < streams) {
        const streamId = state.nextStream();
        state.spend(streamId, prefix.length);
        const data = frame({ type: FRAME.data, streamId }, prefix);
        return Buffer.concat([opensCall(streamId, EXPORT_PATH), data]);
      }
      for (const streamId of rotated([...state.open], (turn += 1))) {
        const frames = Math.min(1024, Math.floor(state.room(streamId) / Math.max(1, frameBytes)));
        if (frames <= 0) continue;
        state.spend(streamId, frames * frameBytes);
        return repeated(frame({ type: FRAME.data, streamId }, Buffer.alloc(frameBytes)), frames);
      }
      return undefined;
    });
  };
  return besiege(field, { listener: "grpc", connections, talk });
}

function rotated(streams: readonly number[], by: number): number[] {
  const start = by % Math.max(1, streams.length);
  return [...streams.slice(start), ...streams.slice(0, start)];
}

export interface Openings {
  readonly connections: number;
  readonly streams: number;
  /** The headers of each call in addition to the usual ones. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The beginning of the message. */
  readonly data?: Uint8Array;
  readonly sharesAddress?: boolean;
}

/** Opens calls and leaves them open; pings are answered. */
export function openCalls(field: Field, openings: Openings): Promise<void> {
  const { connections, streams, headers = {}, data, sharesAddress = false } = openings;
  const talk = () =>
    http2Talk(
      field.tally,
      once((state) => {
        const calls = Array.from({ length: streams }, () => state.nextStream());
        return Buffer.concat(
          calls.flatMap((streamId) => [
            opensCall(streamId, EXPORT_PATH, headers),
            ...(data === undefined ? [] : [frame({ type: FRAME.data, streamId }, data)]),
          ]),
        );
      }),
    );
  return besiege(field, { listener: "grpc", connections, talk, sharesAddress });
}
