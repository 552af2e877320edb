import { readApiClient } from "../../support/running/read-api-client.ts";
import { CannotRunError } from "../bench-case.ts";

export interface Crowd {
  readonly name: string;
  readonly size: number;
  /** Whether each of their filters is tried on every span; only few of those are admitted. */
  readonly isDear?: boolean;
  /** Returns the filter of the client with this number, as in the query of a URL. */
  readonly filter: (number: number) => string;
}

/**
 * Starts clients that wait for spans that never arrive, each on its own connection. They wait only
 * for new spans, because searching earlier ones is not waiting. All of them wait when it resolves,
 * and must do so until they are released.
 */
export async function openCrowd(apiUrl: string, { size, filter }: Crowd): Promise<AsyncDisposable> {
  const { hostname, port } = new URL(apiUrl);
  const { sequence } = await readApiClient(apiUrl).stats();
  let answeredCount = 0;
  const socket = { data: () => void (answeredCount += 1) };
  const sockets = await Promise.all(
    Array.from({ length: size }, () => Bun.connect({ hostname, port: Number(port), socket })),
  );
  for (const [number, each] of sockets.entries()) {
    const path = `/api/wait?${filter(number)}&after=${sequence.next - 1}&timeout=10m`;
    each.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  // Earlier requests are read first.
  await (await fetch(`${apiUrl}/healthz`)).bytes();
  return {
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets) each.end();
      if (answeredCount > 0) throw new CannotRunError(`${answeredCount} waited for nothing`);
    },
  };
}
