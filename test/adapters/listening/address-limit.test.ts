import { expect, test } from "bun:test";
import { AddressLimit } from "../../../src/adapters/listening/address-limit.ts";
import { countEntries } from "../../support/oracles/entry-count.ts";

function limitOf(...addresses: string[]): AddressLimit {
  const limit = new AddressLimit({ connections: 3, connectionsPerAddress: 2 });
  for (const address of addresses) limit.add(address);
  return limit;
}

test.each([
  { open: [], address: "a", exceeded: undefined },
  { open: ["a"], address: "a", exceeded: undefined },
  { open: ["a", "a"], address: "a", exceeded: "address" as const },
  { open: ["a", "a"], address: "b", exceeded: undefined },
  { open: ["a", "a", "b"], address: "c", exceeded: "total" as const },
])(
  "with $open open, a connection from $address exceeds the limit: $exceeded",
  ({ open, address, exceeded }) => {
    expect(limitOf(...open).exceededBy(address)).toBe(exceeded);
  },
);

test.each([
  { open: [], address: "a", crowd: undefined },
  { open: ["b"], address: "a", crowd: undefined },
  { open: ["b", "c", "c"], address: "a", crowd: "c" },
  { open: ["b", "c", "c"], address: "b", crowd: undefined },
  { open: ["c", "c", "b"], address: "c", crowd: undefined },
])("with $open open, the crowd beside $address is $crowd", ({ open, address, crowd }) => {
  expect(limitOf(...open).crowdBeside(address)).toBe(crowd);
});

test("removing a connection makes room, in total and for its address", () => {
  const limit = limitOf("a", "a", "b");

  limit.remove("a");

  expect(limit.size).toBe(2);
  expect(limit.exceededBy("a")).toBeUndefined();
});

test("the entry of an address is removed with its last connection", () => {
  const limit = limitOf("a", "b");
  const during = countEntries(limit);

  limit.remove("a");
  limit.remove("b");

  expect([during, countEntries(limit)]).toEqual([2, 0]);
});
