import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grpcMessage } from "../../support/grpc-wire.ts";

/** The request as a gRPC message in a file, for h2load. It goes away with this process. */
export function requestFile(request: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), "spanring-bench-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "request.grpc");
  writeFileSync(file, grpcMessage(request));
  return file;
}
