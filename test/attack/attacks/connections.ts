import type { Attack, Field, Listener } from "../attack-case.ts";
import type { Talk } from "../wire/siege.ts";
import { besiege } from "../wire/siege.ts";

const SILENT: Talk = { opening: new Uint8Array() };

function connectSilently(field: Field, listener: Listener): Promise<void> {
  const connections = field.size(4_000, 400);
  return besiege(field, { listener, connections, talk: () => SILENT });
}

function silent(listener: Listener): Attack {
  return {
    name: `${listener}-silent-connections`,
    does: `4,000 connections of 22 addresses to the ${listener} port send nothing`,
    expected: "holds",
    run: (field) => connectSilently(field, listener),
  };
}

/** Reconnects as soon as a connection is closed, with up to 64 connections at a time. */
function sendWrongProtocol(field: Field): Promise<void> {
  const opening = Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const talk = () => ({ opening });
  return besiege(field, { listener: "grpc", connections: field.size(64, 16), talk });
}

export const CONNECTIONS: readonly Attack[] = [
  silent("grpc"),
  silent("http"),
  silent("api"),
  {
    name: "grpc-wrong-protocol",
    does: "64 connections send something other than HTTP/2, and reconnect when they are closed",
    expected: "holds",
    run: sendWrongProtocol,
  },
  ...(["grpc", "http"] as const).map((listener): Attack => ({
    name: `${listener}-connect-and-reset`,
    does: `connections to the ${listener} port that end within a millisecond`,
    expected: "holds",
    run: async (field) => {
      const siege = { listener, lifeMs: 1, talk: () => SILENT };
      await besiege(field, { ...siege, connections: field.size(64, 16) });
    },
  })),
];
