import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { grpcMessage } from "../../support/grpc/grpc-wire.ts";
import { workFolder } from "../work-folder.ts";

/**
 * Writes a request as a gRPC message to a file for h2load, which is removed when this process ends.
 */
export function requestFile(request: Uint8Array): string {
  return bodyFile("request.grpc", grpcMessage(request));
}

/** Writes the same file, compressed. */
export function gzipRequestFile(request: Uint8Array): string {
  return bodyFile("request.grpc", grpcMessage(gzipSync(request), 1));
}

/** Writes any bytes to a file for h2load, likewise. */
export function bodyFile(name: string, bytes: Uint8Array): string {
  const file = join(workFolder(), name);
  writeFileSync(file, bytes);
  return file;
}
