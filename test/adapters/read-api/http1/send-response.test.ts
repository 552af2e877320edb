import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { sendResponse, STREAMED } from "../../../../src/adapters/read-api/http1/send-response.ts";
import { untilStill } from "../../../support/running/running-http1-server.ts";

// Goal: a response that cannot be sent whole ends, whichever side closes the connection.
// Method: a real connection whose peer reads nothing.

const toClose: Disposable[] = [];

afterEach(() => {
  for (const each of toClose.splice(0)) each[Symbol.dispose]();
});

async function connectionWithoutReader() {
  const accepted = Promise.withResolvers<Socket>();
  const server = createServer((socket) => accepted.resolve(socket.on("error", () => {})));
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const peer = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  peer.pause();
  toClose.push({
    [Symbol.dispose]: () => {
      peer.destroy();
      server.close();
    },
  });
  return { peer, socket: await accepted.promise };
}

const CHUNK = new Uint8Array(1024 * 1024);

function endlessBody() {
  const seen = { chunks: 0, isCancelled: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        seen.chunks += 1;
        controller.enqueue(CHUNK.slice());
      },
      cancel: () => void (seen.isCancelled = true),
    },
    { highWaterMark: 0 },
  );
  return { body, seen };
}

test.each(["peer", "socket"] as const)("a response ends when the %s is destroyed", async (side) => {
  const ends = await connectionWithoutReader();
  const { body, seen } = endlessBody();
  const form = { method: "GET", isHttp11: true, isLast: false };
  const sent = sendResponse(ends.socket, new Response(body, { headers: STREAMED }), form);
  await untilStill(() => seen.chunks);

  ends[side].destroy();

  expect(await sent).toBe(false);
  expect(seen.isCancelled).toBe(true);
});

test("a response to a connection that is gone is not begun", async () => {
  const { socket } = await connectionWithoutReader();
  const { body, seen } = endlessBody();
  socket.destroy();

  const form = { method: "GET", isHttp11: true, isLast: false };
  const sent = await sendResponse(socket, new Response(body, { headers: STREAMED }), form);

  expect(sent).toBe(false);
  expect(seen).toEqual({ chunks: 0, isCancelled: true });
});
