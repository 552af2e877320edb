import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { grpcMessage } from "../../support/grpc-wire.ts";
import { workFolder } from "../work-folder.ts";

/** The request as a gRPC message in a file, for h2load. It goes away with this process. */
export function requestFile(request: Uint8Array): string {
  const file = join(workFolder(), "request.grpc");
  writeFileSync(file, grpcMessage(request));
  return file;
}
