import { connect } from "node:http2";
import { grpcMessage } from "../grpc/grpc-wire.ts";

/** An export whose request has been sent only in part, so that the call is in flight. */
export interface HalfSentCall extends Disposable {
  /** Sends the other half; resolves to the gRPC status of the response. */
  finish(): Promise<number>;
  /** Resolves when the server has closed the connection. */
  readonly closed: Promise<void>;
}

/** Sends the first half of a request. Resolves when the server has seen it. */
export async function sendHalf(port: number, request: Uint8Array): Promise<HalfSentCall> {
  const session = connect(`http://127.0.0.1:${port}`);
  const closed = new Promise<void>((resolve) => session.once("close", resolve));
  // The server resets a connection that it breaks off.
  session.on("error", () => {});
  const call = session.request({
    ":method": "POST",
    ":path": "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    "content-type": "application/grpc",
    te: "trailers",
  });
  call.on("error", () => {});
  const status = Promise.withResolvers<number>();
  const note = (headers: object) => {
    if ("grpc-status" in headers) status.resolve(Number(headers["grpc-status"]));
  };
  // An immediate failure comes in the headers.
  call.on("response", note).on("trailers", note).resume();
  const message = grpcMessage(request);
  const half = Math.floor(message.length / 2);
  call.write(message.subarray(0, half));
  // Frames are read in order: once the ping is answered, everything sent before it has been read.
  await new Promise((resolve) => session.ping(resolve));
  return {
    finish: () => {
      call.end(message.subarray(half));
      return status.promise;
    },
    closed,
    [Symbol.dispose]: () => session.destroy(),
  };
}
