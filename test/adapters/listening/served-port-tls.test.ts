import { afterEach, expect, test } from "bun:test";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ServedPort } from "../../../src/adapters/listening/served-port.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";

// Goal: a stop does not wait for clients of TLS that read nothing until their next request.
// Method: a relay, because a client of Node or Bun answers the end of a connection by itself.

const sockets: Socket[] = [];
const relays: Server[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const relay of relays.splice(0)) relay.close();
});

function serveOverTls(): ServedPort {
  const tls = makeCertificates().server;
  const place = { hostname: "127.0.0.1", development: false };
  const serve = (port: number) =>
    Bun.serve({ ...place, port, tls, fetch: () => new Response("answered") });
  return new ServedPort({ serve, address: { host: "127.0.0.1", port: 0 }, mayBreakOff: true });
}

/** Relays connections to a port until `endReplies()`: from then on, clients receive nothing. */
async function relayTo(port: number) {
  const servers: Socket[] = [];
  const relay = createServer((client) => {
    const server = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    sockets.push(client, server);
    servers.push(server);
    client.pipe(server).pipe(client);
  });
  relays.push(relay);
  await once(relay.listen(0, "127.0.0.1"), "listening");
  const endReplies = () => servers.forEach((server) => server.unpipe());
  return { port: (relay.address() as AddressInfo).port, endReplies };
}

const MANY_TURNS = 100;

async function turns(): Promise<"waits"> {
  for (let turn = 0; turn < MANY_TURNS; turn += 1) await nextTurn();
  return "waits";
}

test("stop() ends an idle connection although its client does not answer", async () => {
  const served = serveOverTls();
  const { port, endReplies } = await relayTo(served.port);
  const socket = connectTls({ port, host: "127.0.0.1", rejectUnauthorized: false });
  sockets.push(socket);
  socket.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await once(socket, "data");
  endReplies();

  const ended = await Promise.race([served.stop().then(() => "ends"), turns()]);

  expect(ended).toBe("ends");
});
