import { expect, test } from "bun:test";
import type { SteppedWork } from "../../../../src/adapters/listening/fair-turns.ts";
import { allowIdling } from "../../../../src/adapters/read-api/http1/connection.ts";
import { STREAMED } from "../../../../src/adapters/read-api/http1/send-response.ts";
import {
  get,
  openPeer,
  runHttp1Server,
  stopHttp1ServersAfterEach,
  untilSo,
  untilStill,
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

test("a peer that closes its side after its requests is answered, and then closed", async () => {
  const begun = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const { server } = runHttp1Server({
    answer: async ({ url }) => {
      begun.resolve();
      if (!url.endsWith("/probe")) await released.promise;
      return new Response(`to ${url}`);
    },
  });
  const [{ socket, closed }, probe] = [await openPeer(server), await openPeer(server)];

  socket.end(get("/one") + get("/two"));
  await begun.promise;
  // What arrived before this has been seen when this is answered.
  probe.socket.write(get("/probe"));
  await probe.until((received) => received.endsWith("/probe"));
  released.resolve();

  expect(await closed).toMatch(/to http:\S+\/one.*Connection: close.*to http:\S+\/two$/is);
});

test("peers that close their sides while their requests wait for a turn are answered", async () => {
  const waiting: SteppedWork[] = [];
  const turns = { hasTime: () => false, queue: (work: SteppedWork) => void waiting.push(work) };
  const { server } = runHttp1Server({ turns });
  const peers = await Promise.all(Array.from({ length: 60 }, () => openPeer(server)));

  // The first request of an address in a turn begins at once, and all others wait.
  for (const { socket } of peers) socket.end(get("/"));
  await untilSo(() => waiting.length > 0);
  await untilStill(() => waiting.length);
  for (const work of waiting) work.step();

  const answers = await Promise.all(peers.map(({ closed }) => closed));
  expect(answers.filter((answer) => !/answer \d+$/.test(answer))).toEqual([]);
});

test("a wait whose peer closes its side is aborted", async () => {
  const begun = Promise.withResolvers<AbortSignal>();
  const { server } = runHttp1Server({
    answer: async ({ signal }, connection) => {
      allowIdling(connection, true);
      begun.resolve(signal);
      return await new Promise<never>(() => {});
    },
  });
  const { socket, closed } = await openPeer(server);

  socket.write(get("/wait"));
  const signal = await begun.promise;
  socket.end();

  expect(await closed).toBe("");
  expect(signal.aborted).toBe(true);
});

test("a peer that closes its side before its request is complete is cut off", async () => {
  const { server } = runHttp1Server();
  const { socket, closed } = await openPeer(server);

  socket.end("GET / HTTP/1.1\r\nHost:");

  expect(await closed).toBe("");
});
