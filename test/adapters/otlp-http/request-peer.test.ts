import { expect, test } from "bun:test";
import { once } from "node:events";
import { connect } from "node:net";
import { RequestPeer } from "../../../src/adapters/otlp-http/request-peer.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

const REQUEST = new Request("http://127.0.0.1/v1/traces");

test("the peer of a request is found out once, when it is first asked for", () => {
  const asked: Request[] = [];
  const requestIP = (request: Request) => {
    asked.push(request);
    return { address: "192.0.2.1", port: 4000 };
  };

  const peer = new RequestPeer(REQUEST, { requestIP }, "");
  const before = asked.length;
  const seen = [peer.address, peer.port, peer.address];

  expect(before).toBe(0);
  expect(seen).toEqual(["192.0.2.1", 4000, "192.0.2.1"]);
  expect(asked).toEqual([REQUEST]);
});

const NAMELESS = { requestIP: () => null };

test("each request over a Unix socket has a peer of its own", () => {
  const [one, other] = [peerAt("unix"), peerAt("unix")];

  expect([one.address, other.address]).toEqual(["unix", "unix"]);
  expect(one.port).not.toBe(other.port);
  expect(one.port).toBe(one.port);
});

function peerAt(unnamed: string): RequestPeer {
  return new RequestPeer(REQUEST, NAMELESS, unnamed);
}

test("a peer that has reset its connection is not taken for one of a Unix socket", async () => {
  const seen = Promise.withResolvers<string>();
  await using server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: async (request, own) => {
      const peer = new RequestPeer(request, own, "");
      await nextTurn();
      seen.resolve(peer.address);
      return new Response();
    },
  });
  const socket = connect(server.port!, "127.0.0.1");
  await once(socket, "connect");

  socket.write("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  socket.resetAndDestroy();

  expect(await seen.promise).toBe("");
});
