import { describe, expect, test } from "bun:test";
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import {
  Connection,
  endsKey,
  ConnectionTable,
} from "../../../src/adapters/otlp-grpc/connection-table.ts";
import { fakeConnection } from "../../support/fakes/grpc-fake-socket.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";

const LIMITS = { connections: 4, connectionsPerAddress: 2 };

describe("a new connection", () => {
  test("is accepted below the limits", () => {
    const table = new ConnectionTable(LIMITS);
    table.add(fakeConnection("192.0.2.1"));

    expect(table.refusalOf("192.0.2.1")).toBeUndefined();
  });

  test("is refused at the limit of its address, which does not affect other addresses", () => {
    const table = new ConnectionTable(LIMITS);
    table.add(fakeConnection("192.0.2.1"));
    table.add(fakeConnection("192.0.2.1"));

    expect(table.refusalOf("192.0.2.1")).toBe("too_many_connections_per_address");
    expect(table.refusalOf("192.0.2.2")).toBeUndefined();
  });

  test("is refused at the total limit", () => {
    const table = new ConnectionTable(LIMITS);
    for (const address of ["a", "b", "c", "d"]) table.add(fakeConnection(address));

    expect(table.refusalOf("e")).toBe("too_many_connections");
  });
});

describe("room for a new connection", () => {
  test("is made by one that has not sent a message", () => {
    const table = new ConnectionTable({ connections: 3, connectionsPerAddress: 3 });
    const [used, unused] = [fakeConnection("a"), fakeConnection("a")];
    for (const each of [used, unused]) table.add(each);
    used.advance("unfinished");
    used.advance("used");

    const removed = [0, 1].map(() => table.makeRoom("too_many_connections", "a"));

    expect(removed).toEqual([unused, undefined]);
    expect([...table]).toEqual([used]);
  });

  test("cannot be made by one that is already removed", () => {
    const table = new ConnectionTable(LIMITS);
    const gone = fakeConnection("a");
    table.add(gone);
    table.remove(gone);
    gone.advance("unfinished");

    expect(table.makeRoom("too_many_connections", "a")).toBeUndefined();
  });

  test("is made by one of its address if that has too many", () => {
    const table = new ConnectionTable(LIMITS);
    const [other, own] = [fakeConnection("a"), fakeConnection("b")];
    for (const each of [other, own]) table.add(each);

    expect(table.makeRoom("too_many_connections_per_address", "b")).toBe(own);
    expect(table.makeRoom("too_many_connections_per_address", "b")).toBeUndefined();
  });
});

describe("a closed connection", () => {
  test("makes room, in total and for its address", () => {
    const table = new ConnectionTable({ connections: 2, connectionsPerAddress: 2 });
    const connections = [fakeConnection("a"), fakeConnection("a")] as const;
    for (const connection of connections) table.add(connection);

    table.remove(connections[0]);

    expect(table.size).toBe(1);
    expect(table.refusalOf("a")).toBeUndefined();
  });

  test("makes room once, even if it is removed twice", () => {
    const table = new ConnectionTable(LIMITS);
    const closed = fakeConnection("a");
    table.add(closed);
    table.add(fakeConnection("a"));
    table.add(fakeConnection("b"));

    table.remove(closed);
    table.remove(closed);
    table.add(fakeConnection("a"));

    expect(table.size).toBe(3);
    expect(table.refusalOf("a")).toBe("too_many_connections_per_address");
  });

  test("leaves no entry", () => {
    const table = new ConnectionTable(LIMITS);
    const connections = ["a", "a", "b"].map((address) => fakeConnection(address));
    for (const connection of connections) table.add(connection);
    table.identify(connections[0]!);
    const during = countEntries(table);

    for (const connection of connections) table.remove(connection);

    expect(during).toBeGreaterThanOrEqual(connections.length);
    expect(countEntries(table)).toBe(0);
  });
});

// Sockets that were reset before they were accepted have neither addresses nor ports.
test("connections with the same ends are counted one by one", () => {
  const table = new ConnectionTable(LIMITS);
  const connections = Array.from(
    { length: 2 },
    () => new Connection(socketWithoutEnds(), () => {}),
  );
  for (const each of connections) {
    table.add(each);
    table.identify(each);
  }
  expect([table.size, table.refusalOf("")]).toEqual([2, "too_many_connections_per_address"]);

  for (const each of connections) table.remove(each);

  expect([table.size, table.refusalOf("")]).toEqual([0, undefined]);
  expect(countEntries(table)).toBe(0);
});

function socketWithoutEnds(): Socket {
  return new EventEmitter() as Socket;
}

test("a connection is found only by its own addresses and ports", () => {
  const table = new ConnectionTable(LIMITS);
  const connection = fakeConnection("192.0.2.1");
  const { remoteAddress, remotePort = 0, localPort } = connection.socket;
  table.add(connection);
  const before = table.find(connection.socket);
  table.identify(connection);

  expect(before).toBeUndefined();
  expect(table.find({ remoteAddress, remotePort, localPort })).toBe(connection);
  expect(table.find({ remoteAddress, remotePort: remotePort + 1, localPort })).toBeUndefined();
  expect(table.find({ remoteAddress, remotePort, localPort: 1 })).toBeUndefined();
  expect([...table]).toEqual([connection]);
});

test("the keys of two local addresses differ for the same peer", () => {
  const peer = { remoteAddress: "192.0.2.1", remotePort: 40_000, localPort: 4317 };

  const keys = ["192.0.2.8", "192.0.2.9"].map((localAddress) => endsKey({ ...peer, localAddress }));

  expect(keys[0]).not.toBe(keys[1]);
});
