import { readApiClient } from "../../support/running/read-api-client.ts";
import { CannotRunError } from "../bench-case.ts";

export interface Crowd {
  readonly name: string;
  readonly size: number;
  /** Each of their filters is tried on every span; no more than a few are let in. */
  readonly isDear?: boolean;
  /** What the one with this number waits for, as in the query of a URL. */
  readonly filter: (number: number) => string;
}

/**
 * Clients that wait for spans which never come, each on a connection of its own, among the spans
 * that come from now on: looking through those of before is not waiting. They wait when it
 * resolves, and must do so until they are let go.
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
  // What was sent before is read before.
  await (await fetch(`${apiUrl}/healthz`)).bytes();
  return {
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets) each.end();
      if (answeredCount > 0) throw new CannotRunError(`${answeredCount} waited for nothing`);
    },
  };
}
