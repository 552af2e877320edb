import { expect, test } from "bun:test";
import { startManager } from "../support/running/notified-manager.ts";
import { startProgram } from "../support/running/running-program.ts";

// Goal: systemd learns the state of the program, as built. Method: a process that listens at
// NOTIFY_SOCKET as systemd does.

test("the program reports start, life, reload and stop to its service manager", async () => {
  await using manager = await startManager();
  const env = { NOTIFY_SOCKET: manager.address, WATCHDOG_USEC: "200000" };
  await using program = await startProgram(env, { detached: true });

  const started = await manager.next();
  const alive = await manager.next();
  process.kill(program.pid, "SIGHUP");
  const reload = await nextExcept("WATCHDOG=1", manager.next);
  const reloaded = await nextExcept("WATCHDOG=1", manager.next);
  const exitCode = program.stop();
  const stopping = await nextExcept("WATCHDOG=1", manager.next);

  const api = new URL(program.apiUrl).port;
  const ports = `api ${api}, grpc ${program.grpcPort}, http ${program.httpPort}`;
  expect(started).toEqual(["READY=1", `STATUS=ready, on ${ports}`]);
  expect(alive).toEqual(["WATCHDOG=1"]);
  expect(reload).toEqual(["RELOADING=1", expect.stringMatching(/^MONOTONIC_USEC=\d+$/)]);
  expect(reloaded).toEqual(["READY=1"]);
  expect(stopping).toEqual(["STOPPING=1", "STATUS=stopping, with a grace period of 5000 ms"]);
  expect(await exitCode).toBe(0);
});

async function nextExcept(skipped: string, next: () => Promise<string[]>): Promise<string[]> {
  const message = await next();
  return message[0] === skipped ? await nextExcept(skipped, next) : message;
}
