import { expect, test } from "bun:test";
import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { callHeaders, FLAG, frame, FRAME } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

stopGrpcListenersAfterEach();

const WINDOW_BYTES = 2 * 1024 * 1024;

test("a peer is given the same large window on its connection and on its streams", async () => {
  const { peer } = await runGrpcListener();
  const large = peer().greet();
  const head = { type: FRAME.headers, flags: FLAG.endHeaders, streamId: 1 };
  const initialWindowSize = 4;

  large.send(frame(head, callHeaders(EXPORT_PATH)));
  const more = await large.frame(({ type }) => type === FRAME.windowUpdate);

  // The window of a connection begins with 65,535 bytes.
  const settings = large.frames.findLast(({ type }) => type === FRAME.settings)?.payload;
  const advertised = settings?.subarray(settings.length - 6);
  expect([more.streamId, more.payload.readUInt32BE(0) + 65_535]).toEqual([0, WINDOW_BYTES]);
  expect(advertised?.readUInt16BE(0)).toBe(initialWindowSize);
  expect(advertised?.readUInt32BE(2)).toBe(WINDOW_BYTES);
});
