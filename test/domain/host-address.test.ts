import { expect, test } from "bun:test";
import { isLoopback } from "../../src/domain/host-address.ts";

test.each([
  ["localhost", true],
  ["LOCALHOST", true],
  ["db.localhost", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["[::1]", true],
  ["::1", true],
  ["0.0.0.0", true],
  ["[::]", true],
  ["127.example.com", false],
  ["128.0.0.1", false],
  ["localhost.example.com", false],
  ["[2001:db8::1]", false],
])("%s is reached without leaving the machine: %p", (host, isLocal) => {
  expect(isLoopback(host)).toBe(isLocal);
});
