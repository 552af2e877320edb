import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { refuseHttp2 } from "../../../../src/adapters/read-api/http1/http2-refusal.ts";
import { HandMovedClock } from "../../../support/fakes/hand-moved-clock.ts";
import { openHttp2, callHttp2 } from "../../../support/grpc/grpc-http2-call.ts";
import { PREFACE } from "../../../support/grpc/grpc-wire.ts";
import { untilSo } from "../../../support/running/running-http1-server.ts";

// Goal: an HTTP/2 connection gets one response, and no peer keeps one open.
// Method: real connections to a server that hands over all of them.

const toClose: Disposable[] = [];

afterEach(() => {
  for (const each of toClose.splice(0)) each[Symbol.dispose]();
});

async function serve(body = "no HTTP/2 here") {
  const clock = new HandMovedClock();
  const addresses: string[] = [];
  const refuse = refuseHttp2((_, address) => {
    addresses.push(address);
    return new Response(body, { status: 421, headers: { "X-Test": "1" } });
  }, clock);
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket.on("error", () => {}));
    refuse(socket);
  });
  server.listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  toClose.push({
    [Symbol.dispose]: () => {
      for (const socket of accepted) socket.destroy();
      server.close();
    },
  });
  const { port } = server.address() as AddressInfo;
  return { port, clock, accepted, addresses };
}

test.each(["no HTTP/2 here", ""])(
  "the first request gets the response, with body %p",
  async (body) => {
    const { port, accepted } = await serve(body);

    const end = await callHttp2(openHttp2(port));
    await untilSo(() => accepted[0]!.destroyed);

    expect([end.httpStatus, end.body.toString()]).toEqual([421, body]);
  },
);

test("a connection without a request does not answer for the next one", async () => {
  const { port, addresses, accepted } = await serve();
  const silent = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  silent.write(PREFACE);
  await untilSo(() => accepted.length === 1);

  await callHttp2(openHttp2(port));
  await callHttp2(openHttp2(port));

  expect(addresses).toEqual(["127.0.0.1", "127.0.0.1"]);
  silent.destroy();
});

test("a peer that breaks HTTP/2 is closed", async () => {
  const { port, accepted } = await serve();
  const peer = connect({ port, host: "127.0.0.1" })
    .on("error", () => {})
    .resume();

  peer.write(Buffer.concat([PREFACE, Buffer.alloc(100, 0xff)]));
  await untilSo(() => accepted[0]?.destroyed === true);

  expect(accepted).toHaveLength(1);
});

test("a peer that sends no request is cut off", async () => {
  const { port, clock, accepted } = await serve();
  const peer = connect({ port, host: "127.0.0.1" })
    .on("error", () => {})
    .resume();
  peer.write(PREFACE);
  await untilSo(() => clock.pendingActions === 1);

  clock.moveMs(1_000);

  expect(accepted[0]!.destroyed).toBe(true);
});
