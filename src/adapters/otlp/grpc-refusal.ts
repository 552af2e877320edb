import { GRPC_CODE } from "./status-table.ts";

/** Whether a body is gRPC. That of gRPC-Web is something else. */
export function isGrpcType(contentType: string | null): boolean {
  return /^application\/grpc($|[+;\s])/i.test(contentType ?? "");
}

/**
 * The answer to gRPC at a port that does not speak it. Over HTTP/2, a response without a body is a
 * frame of headers, which gRPC takes for the status of the call (`Trailers-Only`). The status is
 * final, so that exporters report it instead of trying for ever.
 * Source: grpc/grpc, doc/PROTOCOL-HTTP2.md.
 */
export function grpcRefusal(message: string): Response {
  const headers = {
    "Content-Type": "application/grpc",
    "grpc-status": String(GRPC_CODE.UNIMPLEMENTED),
    "grpc-message": encodeURI(message),
  };
  return new Response(null, { status: 200, headers });
}
