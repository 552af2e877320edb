import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { grpcMessage } from "../../support/grpc-wire.ts";
import { workFolder } from "../work-folder.ts";

/** The request as a gRPC message in a file, for h2load. It goes away with this process. */
export function requestFile(request: Uint8Array): string {
  return messageFile(grpcMessage(request));
}

/** The same, compressed. */
export function gzipRequestFile(request: Uint8Array): string {
  return messageFile(grpcMessage(gzipSync(request), true));
}

function messageFile(message: Uint8Array): string {
  const file = join(workFolder(), "request.grpc");
  writeFileSync(file, message);
  return file;
}
