import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";

const EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** Sends encoded trace requests unchanged. */
export interface ExportClient extends Disposable {
  /**
   * Sends a request. Resolves to the bytes of the response; rejects with the status of the server.
   */
  export(request: Uint8Array): Promise<Uint8Array>;
}

/**
 * Opens its own connection to a gRPC server on the loopback address, and sends these headers with
 * each request.
 */
export function openExportClient(
  port: number,
  headers: Readonly<Record<string, string>> = {},
): ExportClient {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.enable_http_proxy": 0,
    // Otherwise, clients of one address share a connection.
    "grpc.use_local_subchannel_pool": 1,
  });
  return {
    export: (request) => exportOver(client, request, metadata),
    [Symbol.dispose]: () => client.close(),
  };
}

async function exportOver(
  client: Client,
  request: Uint8Array,
  metadata: Metadata,
): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const answered = (error: ServiceError | null, answer?: Uint8Array) =>
    error === null ? resolve(answer ?? new Uint8Array()) : reject(error);
  client.makeUnaryRequest(EXPORT, asItIs, asItIs, request, metadata, answered);
  return await promise;
}

function asItIs(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
