import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openNotifySocket } from "../../../src/adapters/systemd/notify-socket.ts";
import { startManager } from "../../support/running/notified-manager.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

test.each([
  { kind: "a path", address: () => join(temporaryFolder(), "notify") },
  { kind: "an abstract name", address: () => `@spanring-test-${crypto.randomUUID()}` },
])("messages arrive at $kind", async ({ address }) => {
  await using manager = await startManager(address());
  const socket = openNotifySocket(manager.address)!;

  const isSent = [socket.send("READY=1\nSTATUS=über"), socket.send("STOPPING=1")];

  expect(isSent).toEqual([true, true]);
  expect(await manager.next()).toEqual(["READY=1", "STATUS=über"]);
  expect(await manager.next()).toEqual(["STOPPING=1"]);
  socket.close();
});

test("a socket that nothing reads refuses messages, without a wait", async () => {
  const socket = openNotifySocket(join(temporaryFolder(), "missing"))!;

  expect(socket.send("READY=1")).toBe(false);
  socket.close();
});

const uptimeSeconds = () => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);

test("the time is that of the system since its start, in microseconds", () => {
  const socket = openNotifySocket("/run/notify")!;

  const earlier = socket.monotonicMicros();
  const seconds = Number(socket.monotonicMicros()) / 1e6;

  expect(socket.monotonicMicros()).toBeGreaterThanOrEqual(earlier);
  // The uptime has two decimals. It includes suspensions, but half a life is not suspended.
  expect(seconds).toBeWithin(uptimeSeconds() / 2, uptimeSeconds() + 0.02);
  socket.close();
});

test.each(["", "@", "/", "vsock:2:1234", `/${"x".repeat(107)}`])(
  "%p is no address of a socket",
  (address) => {
    expect(openNotifySocket(address)).toBeUndefined();
  },
);

test("without a C library, no socket is opened", () => {
  expect(openNotifySocket("/run/notify", ["libnothing.so.0"])).toBeUndefined();
});
