import { join } from "node:path";
import { temporaryFolder } from "./temporary-folder.ts";

const PROGRAM = join(import.meta.dir, "../processes/receive-datagrams.ts");

/** Receives what a service sends to its manager. */
export interface NotifiedManager extends AsyncDisposable {
  /** The value of `NOTIFY_SOCKET`. */
  readonly address: string;
  /** Resolves to the next message, split into lines. */
  next(): Promise<string[]>;
}

/** Starts a manager that listens at this address; resolves once it does. */
export async function startManager(
  address = join(temporaryFolder(), "notify"),
): Promise<NotifiedManager> {
  const child = Bun.spawn([process.execPath, PROGRAM, address], { stdout: "pipe" });
  const lines = linesOf(child.stdout);
  await lines.next();
  return {
    address,
    next: async () => (JSON.parse((await lines.next()).value ?? "") as string).split("\n"),
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + Buffer.from(chunk).toString()).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
