import { expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { SenderTurns } from "../../../src/adapters/listening/sender-turns.ts";
import { AcceptedSockets, MAX_WAITING } from "../../../src/adapters/otlp-grpc/accepted-sockets.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

/** Beginning a connection takes `beginMs` of a time that stands still otherwise. */
function accepting({ beginMs }: { readonly beginMs: number }) {
  let nowMs = 0;
  const begun: string[] = [];
  const turns = new FairTurns({ monotonicMs: () => nowMs });
  const accepted = new AcceptedSockets(new SenderTurns(turns), (socket) => {
    begun.push(`${socket.remoteAddress} ${socket.remotePort}`);
    nowMs += beginMs;
  });
  return { accepted, begun };
}

function fakeSocket(remoteAddress: string, remotePort: number): Socket {
  const socket = Object.assign(new EventEmitter(), {
    remoteAddress,
    remotePort,
    destroyed: false,
    destroy: () => void (socket.destroyed = true),
  });
  return socket as unknown as Socket;
}

test("connections begin at once while the turn has time", () => {
  const { accepted, begun } = accepting({ beginMs: 1 });

  for (const port of [1, 2, 3]) accepted.add(fakeSocket("a", port));

  expect(begun).toEqual(["a 1", "a 2", "a 3"]);
});

test("those beyond it begin in later turns, in which their addresses take turns", async () => {
  const { accepted, begun } = accepting({ beginMs: 5 });

  for (const port of [1, 2, 3, 4]) accepted.add(fakeSocket("a", port));
  for (const port of [5, 6]) accepted.add(fakeSocket("b", port));
  for (let turn = 0; turn < 4; turn += 1) await nextTurn();

  expect(begun).toEqual(["a 1", "b 5", "a 2", "b 6", "a 3", "a 4"]);
});

test("the first one of an address in a turn begins at once, whatever the turn has taken", () => {
  const { accepted, begun } = accepting({ beginMs: 5 });

  for (const address of ["a", "a", "b", "c", "b"]) accepted.add(fakeSocket(address, 1));

  expect(begun).toEqual(["a 1", "b 1", "c 1"]);
});

test("one that has been closed while it waited does not begin", async () => {
  const { accepted, begun } = accepting({ beginMs: 5 });
  const [first, closed, last] = [1, 2, 3].map((port) => fakeSocket("a", port));

  for (const socket of [first, closed, last]) accepted.add(socket!);
  closed!.destroy();
  await nextTurn();
  await nextTurn();

  expect(begun).toEqual(["a 1", "a 3"]);
});

test("no more than the maximum wait", () => {
  const { accepted, begun } = accepting({ beginMs: 5 });

  for (let port = 0; port < MAX_WAITING + 4; port += 1) accepted.add(fakeSocket("a", port));

  // The first one had time; the others found no room.
  expect(begun).toHaveLength(4);
});

test("those that wait are destroyed by a stop, and do not begin", async () => {
  const { accepted, begun } = accepting({ beginMs: 5 });
  const sockets = [1, 2, 3].map((port) => fakeSocket("a", port));
  for (const socket of sockets) accepted.add(socket);

  accepted.destroyAll();
  await nextTurn();
  await nextTurn();

  expect(begun).toEqual(["a 1"]);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, true]);
});
