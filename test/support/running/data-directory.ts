import { mkdtempSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer } from "../../../src/server/server.ts";
import { spanNumbers } from "../oracles/walked-spans.ts";
import { requestOf } from "../requests/request-bytes.ts";
import { exportOverHttp } from "./export-over-http.ts";
import { runServer } from "./running-server.ts";

/** A directory for a log, which does not exist yet. */
export interface DataDirectory {
  readonly path: string;
  /** Returns the paths of the segments, oldest first. */
  segments(): string[];
}

export function dataDirectory(folder: string): DataDirectory {
  const path = join(mkdtempSync(join(folder, "log-")), "data");
  const names = () => readdirSync(path).filter((name) => name.startsWith("spans-"));
  return {
    path,
    segments: () =>
      names()
        .toSorted()
        .map((name) => join(path, name)),
  };
}

export async function send({ ports }: RunningServer, ...requests: Uint8Array[]): Promise<void> {
  for (const each of requests) await exportOverHttp(`http://127.0.0.1:${ports.http}`, each);
}

export function numbersOf({ buffer }: RunningServer): number[] {
  return spanNumbers(buffer.peek(1_000).request);
}

/** The numbers of the spans in a filled directory. */
export const ALL: number[] = Array.from({ length: 12 }, (_, index) => index + 1);

/** Leaves three requests of four spans in a new directory. */
export async function filledDirectory(
  folder: string,
  env: Record<string, string> = {},
): Promise<DataDirectory> {
  const directory = dataDirectory(folder);
  const server = await runServer({ DATA_DIR: directory.path, ...env });
  await send(server, requestOf(4), requestOf(4, 5), requestOf(4, 9));
  await server.stop(0);
  return directory;
}
