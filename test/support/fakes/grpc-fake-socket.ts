import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { Connection } from "../../../src/adapters/otlp-grpc/connection-table.ts";

let nextPort = 1;

/** Returns a connection without a network, from a unique port. */
export function fakeConnection(address = "192.0.2.1"): Connection {
  const ends = { remoteAddress: address, remotePort: nextPort, localPort: 4317 };
  nextPort += 1;
  const socket = Object.assign(new EventEmitter(), ends, {
    destroy: () => socket.emit("close"),
  });
  // A connection needs nothing else from its socket.
  return new Connection(socket as unknown as Socket, () => {});
}
