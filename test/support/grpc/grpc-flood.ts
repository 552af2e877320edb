import type { ClientHttp2Session } from "node:http2";
import type { status } from "@grpc/grpc-js";
import { callUnary, EXPORT_PATH, openGrpcClient } from "./grpc-call.ts";
import { beginCall, openHttp2 } from "./grpc-http2-call.ts";
import { messagePrefix } from "./grpc-wire.ts";

export interface Flood {
  readonly connections: number;
  readonly streams: number;
  /** The flood ends when this many of its connections have been closed. */
  readonly closuresToSee: number;
}

export interface FloodReport {
  readonly closedConnections: number;
  readonly peakBytes: number;
  /** The statuses of a well-behaved sender's exports in the meantime. */
  readonly codes: readonly status[];
}

const MESSAGE_BYTES = 4 * 1024 * 1024;
const PIECE = Buffer.alloc(16_384);

/** Floods a listener in its own process, while a well-behaved sender exports. */
export async function floodUnfinished(flood: Flood): Promise<FloodReport> {
  const child = Bun.spawn(
    [process.execPath, `${import.meta.dir}/../processes/grpc-listener-process.ts`],
    {
      stdin: "pipe",
      stdout: "pipe",
    },
  );
  const lines = linesOf(child.stdout);
  const port = Number(await nextOf(lines));
  const codes = await exportDuring(port, seeClosures(port, flood));
  await child.stdin.end();
  const report = JSON.parse(await nextOf(lines)) as Omit<FloodReport, "codes">;
  await child.exited;
  return { ...report, codes };
}

async function exportDuring(port: number, flood: Promise<void>): Promise<status[]> {
  const sender = openGrpcClient(port);
  const codes: status[] = [];
  const progress = { isOver: false };
  const over = flood.finally(() => (progress.isOver = true));
  while (!progress.isOver) {
    codes.push((await callUnary(sender, EXPORT_PATH, Buffer.alloc(50_000))).code);
  }
  sender.close();
  await over;
  return codes;
}

function seeClosures(port: number, flood: Flood): Promise<void> {
  const open = new Set<ClientHttp2Session>();
  const seen = Promise.withResolvers<void>();
  let closures = 0;
  const connect = () => {
    const session = openHttp2(port);
    open.add(session);
    for (let stream = 0; stream < flood.streams; stream += 1) sendUnfinished(session);
    session.once("close", () => {
      open.delete(session);
      closures += 1;
      if (closures < flood.closuresToSee) connect();
      else seen.resolve();
    });
  };
  for (let connection = 0; connection < flood.connections; connection += 1) connect();
  return seen.promise.finally(() => {
    for (const session of open) session.removeAllListeners("close").destroy();
  });
}

/** Sends a message without its last piece, as fast as the server accepts it. */
function sendUnfinished(session: ClientHttp2Session): void {
  const stream = beginCall(session, { pieces: [messagePrefix(MESSAGE_BYTES)] });
  let leftBytes = MESSAGE_BYTES - PIECE.length;
  const send = () => {
    for (; leftBytes > 0 && !stream.destroyed; leftBytes -= PIECE.length) {
      if (!stream.write(PIECE)) return void stream.once("drain", send);
    }
  };
  send();
}

async function* linesOf(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let unread = "";
  for await (const piece of output) {
    const lines = (unread + decoder.decode(piece, { stream: true })).split("\n");
    unread = lines.pop() ?? "";
    yield* lines;
  }
}

async function nextOf(lines: AsyncGenerator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error("the process has ended");
  return value;
}
