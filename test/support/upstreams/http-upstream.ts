import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { ArrivalsCount } from "./arrivals-count.ts";

export interface HttpRequest {
  /** The body, decompressed. */
  readonly bytes: Uint8Array;
  readonly bodyBytes: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Headers;
  readonly from: string;
}

export interface HttpUpstream {
  readonly port: number;
  readonly requests: readonly HttpRequest[];
  readonly arrivals: ArrivalsCount;
  /** Resets all connections. */
  stop(): Promise<void>;
}

const DECOMPRESSED: Readonly<Record<string, (body: Uint8Array) => Uint8Array>> = {
  gzip: gunzipSync,
  zstd: zstdDecompressSync,
};

/**
 * Starts an OTLP/HTTP receiver on 127.0.0.1 that responds as told; `undefined` gives no response.
 */
export function startHttpUpstream(
  reply: (request: HttpRequest) => Response | undefined,
  { port = 0, tls }: { readonly port?: number; readonly tls?: Bun.TLSOptions } = {},
): HttpUpstream {
  const requests: HttpRequest[] = [];
  const arrivals = new ArrivalsCount();
  const fetch = async (received: Request, server: Bun.Server<undefined>): Promise<Response> => {
    const request = await readRequest(received, server);
    requests.push(request);
    arrivals.note();
    return reply(request) ?? (await new Promise<never>(() => {}));
  };
  const options = { hostname: "127.0.0.1", port, idleTimeout: 0, fetch };
  const server = Bun.serve(tls === undefined ? options : { ...options, tls });
  return { port: server.port!, requests, arrivals, stop: () => server.stop(true) };
}

async function readRequest(received: Request, server: Bun.Server<undefined>): Promise<HttpRequest> {
  const { method, headers, url } = received;
  const body = await received.bytes();
  const bytes = (DECOMPRESSED[headers.get("content-encoding") ?? ""] ?? asItIs)(body);
  const address = server.requestIP(received);
  const { pathname, search } = new URL(url);
  const from = `${address?.address}:${address?.port}`;
  return { bytes, bodyBytes: body.length, path: pathname + search, method, headers, from };
}

function asItIs(body: Uint8Array): Uint8Array {
  return body;
}
