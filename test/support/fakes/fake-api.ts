import { afterEach } from "bun:test";

/** A request that a fake server has received. */
export interface FakeRequest {
  readonly method: string;
  /** The path, with the query as written. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface FakeServer {
  /** The base URL, without a trailing slash. */
  readonly url: string;
  /** The requests so far, in order. */
  readonly requests: FakeRequest[];
  stop(): Promise<void>;
}

export type Answer = (request: FakeRequest) => Response | Promise<Response>;

const running: FakeServer[] = [];

/** Starts a server on a free port that gives one response to all requests, and records them. */
export function startFakeServer(answer: Answer): FakeServer {
  const requests: FakeRequest[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    development: false,
    fetch: async (request) => {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const got = { method, path: pathname + search, headers, body: await request.bytes() };
      requests.push(got);
      return await answer(got);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const fake = { url, requests, stop: () => server.stop(true) };
  running.push(fake);
  return fake;
}

/** Must be called once in a test file that starts fake servers. */
export function stopFakeServersAfterEach(): void {
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
  });
}

export function problem(status: number, members: object): Response {
  const body = { type: "about:blank", title: "Not possible", status, ...members };
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/problem+json" },
  });
}

export function ndjson(...values: unknown[]): Response {
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
  return new Response(text, { headers: { "Content-Type": "application/x-ndjson" } });
}

/** Returns a stream that stays open after its first lines, until its reader leaves. */
export function endless(...values: unknown[]): Response {
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  });
  return new Response(stream, { headers: { "Content-Type": "application/x-ndjson" } });
}

/** Returns a URL where nothing is listening. */
export async function unusedUrl(): Promise<string> {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const url = `http://127.0.0.1:${server.port}`;
  await server.stop(true);
  return url;
}
