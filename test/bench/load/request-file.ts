import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { workFolder } from "../work-folder.ts";

/** The request as a gRPC message in a file, for h2load. It goes away with this process. */
export function requestFile(request: Uint8Array): string {
  return bodyFile("request.grpc", grpcMessage(request));
}

/** The same, compressed. */
export function gzipRequestFile(request: Uint8Array): string {
  return bodyFile("request.grpc", grpcMessage(gzipSync(request), 1));
}

/** Any bytes as a body for h2load, likewise. */
export function bodyFile(name: string, bytes: Uint8Array): string {
  const file = join(workFolder(), name);
  writeFileSync(file, bytes);
  return file;
}
