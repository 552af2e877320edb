import { expect, test } from "bun:test";
import { STREAMED } from "../../../../src/adapters/read-api/http1/send-response.ts";
import {
  get,
  openPeer,
  runHttp1Server,
  stopHttp1ServersAfterEach,
  untilSo,
} from "../../../support/running/running-http1-server.ts";
import { makeCertificates } from "../../../support/upstreams/certificates.ts";
import { serverTls } from "../../../support/upstreams/tls-material.ts";

// Goal: no peer keeps a connection without using it, and nothing is left of what has failed.
// Method: real sockets, and a clock that the test moves.

stopHttp1ServersAfterEach();

test("a peer that does not finish its head in time is cut off", async () => {
  const { server, clock } = runHttp1Server();
  const { socket, closed, until } = await openPeer(server);
  socket.write(`${get("/")}GET /`);
  await until((received) => received.endsWith("answer 1"));

  // The second head begins to count when the first response has been sent.
  await untilSo(() => {
    clock.moveMs(11_000);
    return socket.closed;
  });

  expect(await closed).toEndWith("answer 1");
});

test("a peer that does not finish its handshake in time is cut off", async () => {
  const { authority, server: certificate } = makeCertificates();
  const { server, clock } = runHttp1Server({ tls: serverTls(certificate, authority) });
  const { closed } = await openPeer(server);
  // The other pending action looks for slow heads.
  await untilSo(() => clock.pendingActions === 2);

  clock.moveMs(10_000);

  expect(await closed).toBe("");
});

test("a server that cannot listen leaves no action behind", async () => {
  const { server } = runHttp1Server();
  await server.listening;
  const { server: second, clock } = runHttp1Server({
    address: { host: "127.0.0.1", port: server.port },
  });

  await expect(second.listening).rejects.toMatchObject({ code: "EADDRINUSE" });

  expect(clock.pendingActions).toBe(0);
});

test("a response whose body fails is broken off by a reset", async () => {
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.error(new Error("the body fails")),
  });
  const { server } = runHttp1Server({
    answer: async () => new Response(body, { headers: STREAMED }),
  });
  const { socket, closed } = await openPeer(server);

  socket.write(get("/"));

  expect(await closed).not.toContain("\r\n0\r\n");
});
