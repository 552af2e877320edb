import { expect, test } from "bun:test";
import { RequestPeer } from "../../../src/adapters/otlp-http/request-peer.ts";

const REQUEST = new Request("http://127.0.0.1/v1/traces");

test("the peer of a request is found out once, when it is first asked for", () => {
  const asked: Request[] = [];
  const requestIP = (request: Request) => {
    asked.push(request);
    return { address: "192.0.2.1", port: 4000 };
  };

  const peer = new RequestPeer(REQUEST, { requestIP });
  const before = asked.length;
  const seen = [peer.address, peer.port, peer.address];

  expect(before).toBe(0);
  expect(seen).toEqual(["192.0.2.1", 4000, "192.0.2.1"]);
  expect(asked).toEqual([REQUEST]);
});

const NAMELESS = { requestIP: () => null };

test("each request over a Unix socket has a peer of its own", () => {
  const [one, other] = [new RequestPeer(REQUEST, NAMELESS), new RequestPeer(REQUEST, NAMELESS)];

  expect([one.address, other.address]).toEqual(["unix", "unix"]);
  expect(one.port).not.toBe(other.port);
  expect(one.port).toBe(one.port);
});

test("a request whose connection has been closed has a peer without an address", () => {
  const closed = new Request("http://127.0.0.1/v1/traces", { signal: AbortSignal.abort() });

  expect(new RequestPeer(closed, NAMELESS).address).toBe("");
});
