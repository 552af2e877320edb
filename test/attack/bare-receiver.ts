/**
 * The process of a receiver that does as little as the runtime allows: its gRPC port hands each
 * connection to grpc-js, its HTTP port reads bodies, its API port answers, and nothing is limited
 * or kept. It prints its ports as JSON, and ends with its standard input.
 */
import { type sendUnaryData, Server, ServerCredentials } from "@grpc/grpc-js";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { EXPORT_PATH } from "../../src/adapters/otlp-grpc/export-services.ts";
import type { Ports } from "./attack-case.ts";

const HOST = "127.0.0.1";
const NO_BYTES = Buffer.alloc(0);

function sameBytes(bytes: Buffer): Buffer {
  return bytes;
}

function discard(_call: unknown, answer: sendUnaryData<Buffer>): void {
  answer(null, NO_BYTES);
}

async function listenForGrpc(): Promise<number> {
  const service = new Server();
  service.register(EXPORT_PATH, discard, sameBytes, sameBytes, "unary");
  const injector = service.createConnectionInjector(ServerCredentials.createInsecure());
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => {});
    injector.injectConnection(socket);
  });
  await once(server.listen(0, HOST), "listening");
  return (server.address() as AddressInfo).port;
}

function listenForHttp(): number {
  const server = Bun.serve({
    hostname: HOST,
    port: 0,
    http2: true,
    development: false,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: async (request) => {
      await request.bytes();
      return new Response();
    },
  });
  return server.port!;
}

if (import.meta.main) {
  const ports: Ports = { grpc: await listenForGrpc(), http: listenForHttp(), api: listenForHttp() };
  process.stdin.once("end", () => process.exit(0)).resume();
  process.stdout.write(`${JSON.stringify(ports)}\n`);
}
