import { expect, test } from "bun:test";
import {
  isLoopback,
  isLoopbackListener,
  plainHost,
} from "../../../src/domain/text/host-address.ts";

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
  ["127.1", true],
  ["2130706433", true],
  ["[::ffff:127.0.0.1]", true],
  ["localhost.", true],
  ["127.example.com", false],
  ["128.0.0.1", false],
  ["localhost.example.com", false],
  ["[2001:db8::1]", false],
])("%s is an address of this machine: %p", (host, isLocal) => {
  expect(isLoopback(host)).toBe(isLocal);
});

test.each([
  ["localhost", true],
  ["LOCALHOST.", true],
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["::ffff:127.0.0.1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["db.localhost", false],
  ["127.example.com", false],
  ["192.0.2.1", false],
])("a listener on %s is reached from this machine only: %p", (host, isLocal) => {
  expect(isLoopbackListener(host)).toBe(isLocal);
});

test.each([
  ["Collector.Example.", "collector.example"],
  ["0x7f.1", "127.0.0.1"],
  ["0", "0.0.0.0"],
  ["::ffff:10.0.0.5", "10.0.0.5"],
  ["[::FFFF:0A00:5]", "10.0.0.5"],
  ["0:0:0:0:0:0:0:1", "::1"],
  ["[2001:DB8::1]", "2001:db8::1"],
  ["FE80::1%eth0", "fe80::1%eth0"],
  ["1.2.3.999", "1.2.3.999"],
])("the plain form of %s is %s", (host, plain) => {
  expect(plainHost(host)).toBe(plain);
});
