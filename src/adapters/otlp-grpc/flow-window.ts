import type { Http2Session } from "node:http2";

/**
 * How much a peer may send before it has to hear from us again, on a stream and on a connection.
 *
 * HTTP/2 begins with 64 KiB for a connection with all its streams: a request of 512 spans is three
 * times as long and would take three round trips, whatever else its connection carries. With 2 MiB
 * it costs 0.8 of the processor time on loopback. What arrives is charged to the budget all the
 * same.
 *
 * The two must be the same. `setLocalWindowSize` makes Bun believe that every new stream has that
 * window too, so a peer that was told of a smaller one would wait for ever:
 * https://github.com/oven-sh/bun/pull/40180
 */
const WINDOW_BYTES = 2 * 1024 * 1024;

/** grpc-js has an option for it in clients only, so a connection begins with the small windows. */
export function widenWindows(session: Http2Session): void {
  session.settings({ initialWindowSize: WINDOW_BYTES });
  session.setLocalWindowSize(WINDOW_BYTES);
}
