import type { Http2Session } from "node:http2";

/**
 * How much a peer may send before it has to hear from us again.
 *
 * HTTP/2 begins with 64 KiB, for a connection with all its streams: a request of 512 spans is three
 * times as long, and so would take three round trips, whatever else its connection carries. With
 * these, it costs 0.7 of the processor time on loopback. What arrives is charged to the budget all
 * the same.
 */
const STREAM_WINDOW_BYTES = 1024 * 1024;
const CONNECTION_WINDOW_BYTES = 4 * STREAM_WINDOW_BYTES;

/** grpc-js has an option for it in clients only, so a connection begins with the small windows. */
export function widenWindows(session: Http2Session): void {
  session.settings({ initialWindowSize: STREAM_WINDOW_BYTES });
  session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
}
