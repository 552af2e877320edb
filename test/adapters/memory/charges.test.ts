import { expect, test } from "bun:test";
import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import { GrpcRawPeer } from "../../support/grpc/grpc-raw-peer.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../../support/grpc/grpc-wire.ts";

// Goal: the budget is charged with at least what a peer makes the process hold.
// Method: a listener in its own process receives many of one kind. Its resident memory, after a
// full collection, must not grow by more than the charge.

interface Measurement {
  readonly heldBytes: number;
  readonly residentBytes: number;
}

async function startListener() {
  const program = `${import.meta.dir}/../../support/processes/measure-charges.ts`;
  const child = Bun.spawn([process.execPath, program], { stdin: "pipe", stdout: "pipe" });
  const lines = linesOf(child.stdout);
  const port = Number((await lines.next()).value);
  return {
    port,
    measure: async (): Promise<Measurement> => {
      child.stdin.write("\n");
      await child.stdin.flush();
      return JSON.parse((await lines.next()).value!) as Measurement;
    },
    [Symbol.asyncDispose]: async () => {
      await child.stdin.end();
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let unread = "";
  for await (const bytes of stream.pipeThrough(new TextDecoderStream() as never)) {
    unread += bytes as unknown as string;
    const lines = unread.split("\n");
    unread = lines.pop()!;
    yield* lines;
  }
}

function headersOf(streamId: number, extra: Readonly<Record<string, string>> = {}): Buffer {
  const block = callHeaders(EXPORT_PATH, extra);
  const pieces = [];
  for (let start = 0; start < block.length; start += 16_384) {
    const isLast = start + 16_384 >= block.length;
    const type = start === 0 ? FRAME.headers : FRAME.continuation;
    const flags = isLast ? FLAG.endHeaders : 0;
    pieces.push(frame({ type, flags, streamId }, block.subarray(start, start + 16_384)));
  }
  return Buffer.concat(pieces);
}

const STREAMS = Array.from({ length: 100 }, (_, at) => 2 * at + 1);
const MANY_FIELDS = Object.fromEntries(
  Array.from({ length: 48 }, (_, at) => [`x-field-${at}`, "v".repeat(1024)]),
);
const SHORT_FIELDS = Object.fromEntries(Array.from({ length: 90 }, (_, at) => [`x-f-${at}`, "v"]));
const ONE_BYTE = Buffer.concat(
  STREAMS.flatMap((streamId) => [
    headersOf(streamId),
    frame({ type: FRAME.data, streamId }, messagePrefix(1_000_000)),
    ...Array<Buffer>(8).fill(frame({ type: FRAME.data, streamId }, Buffer.of(1))),
  ]),
);

test.each([
  { kind: "open calls", bytes: Buffer.concat(STREAMS.map((id) => headersOf(id))) },
  {
    kind: "large header fields",
    bytes: Buffer.concat(STREAMS.map((id) => headersOf(id, { authorization: "v".repeat(48_000) }))),
  },
  {
    kind: "short header fields",
    bytes: Buffer.concat(STREAMS.map((id) => headersOf(id, SHORT_FIELDS))),
  },
  { kind: "pieces of one byte", bytes: ONE_BYTE },
])("$kind cost no more memory than they are charged", async ({ bytes }) => {
  const { charged, grown } = await costOf(bytes);

  expect(charged).toBeGreaterThan(2 ** 20);
  expect(grown).toBeLessThanOrEqual(charged);
});

test("header fields that nothing reads are not kept", async () => {
  const bytes = Buffer.concat(STREAMS.map((id) => headersOf(id, MANY_FIELDS)));

  const { grown } = await costOf(bytes);

  // The allocator keeps a part of what is freed.
  expect(grown).toBeLessThan((PEERS * bytes.length) / 2);
});

const PEERS = 40;

/** Resolves to what open calls are charged, and by how much they make the process grow. */
async function costOf(bytes: Buffer): Promise<{ charged: number; grown: number }> {
  await using listener = await startListener();
  // One-time allocations are not part of the cost of a call.
  await holdOpen(listener.port, 5, bytes);
  const peers = Array.from({ length: PEERS }, () => new GrpcRawPeer(listener.port));
  await Promise.all(peers.map(greeted));
  const before = await listener.measure();
  await Promise.all(peers.map((peer) => hold(peer, bytes)));
  const after = await listener.measure();
  for (const peer of peers) peer.destroy();
  return {
    charged: after.heldBytes - before.heldBytes,
    grown: after.residentBytes - before.residentBytes,
  };
}

async function greeted(peer: GrpcRawPeer): Promise<void> {
  await hold(peer.greet(), Buffer.alloc(0));
}

/** Sends bytes, and waits until the listener has read all of them. */
async function hold(peer: GrpcRawPeer, bytes: Uint8Array): Promise<void> {
  const answers = () => peer.frames.filter(({ type }) => type === FRAME.ping).length;
  const answered = answers();
  peer.send(bytes, frame({ type: FRAME.ping }, Buffer.alloc(8)));
  await peer.frame(() => answers() > answered);
}

async function holdOpen(port: number, count: number, bytes: Uint8Array): Promise<void> {
  const peers = Array.from({ length: count }, () => new GrpcRawPeer(port));
  await Promise.all(peers.map(greeted));
  await Promise.all(peers.map((peer) => hold(peer, bytes)));
  for (const peer of peers) peer.destroy();
}
