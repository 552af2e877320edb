import { expect, test } from "bun:test";
import { networkInterfaces } from "node:os";
import { isListenerAt, ownAddresses } from "../../src/config/own-listener.ts";

const own = () => ["edge-1", "10.0.0.5", "fe80::1"];

test.each([
  { listens: "0.0.0.0", target: "127.0.0.1", isMet: true },
  { listens: "0.0.0.0", target: "localhost", isMet: true },
  { listens: "0.0.0.0", target: "0.0.0.0", isMet: true },
  { listens: "0.0.0.0", target: "10.0.0.5", isMet: true },
  { listens: "0.0.0.0", target: "EDGE-1", isMet: true },
  { listens: "0.0.0.0", target: "10.0.0.6", isMet: false },
  { listens: "0.0.0.0", target: "collector", isMet: false },
  { listens: "0.0.0.0", target: "127.1", isMet: true },
  { listens: "0.0.0.0", target: "[::ffff:127.0.0.1]", isMet: true },
  { listens: "0.0.0.0", target: "[::ffff:10.0.0.5]", isMet: true },
  { listens: "0.0.0.0", target: "localhost.", isMet: true },
  { listens: "0.0.0.0", target: "edge-1.", isMet: true },
  { listens: "0.0.0.0", target: "2130706433", isMet: true },
  { listens: "127.1", target: "127.0.0.1", isMet: true },
  { listens: "::ffff:0.0.0.0", target: "10.0.0.5", isMet: true },
  { listens: "::", target: "[::1]", isMet: true },
  { listens: "::", target: "[fe80::1]", isMet: true },
  { listens: "127.0.0.1", target: "localhost", isMet: true },
  { listens: "127.0.0.1", target: "10.0.0.5", isMet: false },
  { listens: "localhost", target: "127.0.0.1", isMet: true },
  { listens: "10.0.0.5", target: "10.0.0.5", isMet: true },
  { listens: "10.0.0.5", target: "127.0.0.1", isMet: false },
])("who connects to $target meets $listens: $isMet", ({ listens, target, isMet }) => {
  const at = (port: number) => ({ host: target, port });

  expect(isListenerAt({ host: listens, port: 4317 }, at(4317), own)).toBe(isMet);
  expect(isListenerAt({ host: listens, port: 4317 }, at(4318), own)).toBe(false);
  expect(isListenerAt({ host: listens, port: "off" }, at(4317), own)).toBe(false);
});

test("this machine is known by the addresses it has", () => {
  const [[address] = []] = Object.values(networkInterfaces());

  expect(ownAddresses()).toContain(address!.address);
});
