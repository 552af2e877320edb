import { expect, test } from "bun:test";
import { join } from "node:path";
import { openServiceManager } from "../../../src/adapters/systemd/service-manager.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { startManager } from "../../support/running/notified-manager.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const PID = 4242;

function open(env: Readonly<Record<string, string>>) {
  const [logger, clock] = [new RecordingLogger(), new HandMovedClock()];
  const service = openServiceManager({ env, logger, clock, pid: PID });
  return { service, logger, clock };
}

test("the manager learns of the start, of a reload and of the stop", async () => {
  await using manager = await startManager();
  const { service, logger } = open({ NOTIFY_SOCKET: manager.address });

  service.ready("ready, on grpc 4317");
  const started = await manager.next();
  const duringReload = Promise.withResolvers<string[]>();
  await service.reload(async () => duringReload.resolve(await manager.next()));
  const reloaded = await manager.next();
  service.stopping("stopping");

  expect(started).toEqual(["READY=1", "STATUS=ready, on grpc 4317"]);
  expect(await duringReload.promise).toEqual([
    "RELOADING=1",
    expect.stringMatching(/^MONOTONIC_USEC=\d+$/),
  ]);
  expect(reloaded).toEqual(["READY=1"]);
  expect(await manager.next()).toEqual(["STOPPING=1", "STATUS=stopping"]);
  expect(logger.lines).toEqual([]);
  service.close();
});

test("overlapping reloads end together, and a stop ends them all", async () => {
  await using manager = await startManager();
  const { service } = open({ NOTIFY_SOCKET: manager.address });
  const [one, two, three] = [1, 2, 3].map(() => Promise.withResolvers<void>());

  const first = service.reload(() => one!.promise);
  const second = service.reload(() => two!.promise);
  one!.resolve();
  await first;
  two!.resolve();
  await second;
  const third = service.reload(() => three!.promise);
  service.stopping("stopping");
  three!.resolve();
  await third;
  await service.reload(async () => {});
  service.ready("the last message");
  const messages = [];
  for (let count = 0; count < 6; count += 1) messages.push((await manager.next())[0]);

  expect(messages).toEqual([
    "RELOADING=1",
    "RELOADING=1",
    "READY=1",
    "RELOADING=1",
    "STOPPING=1",
    "READY=1",
  ]);
  service.close();
});

test.each([
  { name: "this process", pid: { WATCHDOG_PID: String(PID) } },
  { name: "any process", pid: {} },
])("the watchdog of $name is fed at half of its limit", async ({ pid }) => {
  await using manager = await startManager();
  const { service, clock } = open({
    NOTIFY_SOCKET: manager.address,
    WATCHDOG_USEC: "30000000",
    ...pid,
  });

  service.ready("ready");
  clock.moveMs(14_999);
  service.stopping("after 14.999 s");
  clock.moveMs(1);
  const messages = [await manager.next(), await manager.next(), await manager.next()];
  service.close();

  expect(messages.map(([line]) => line)).toEqual(["READY=1", "STOPPING=1", "WATCHDOG=1"]);
  expect(clock.pendingActions).toBe(0);
});

test.each([
  { name: "of another process", env: { WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" } },
  { name: "without a limit", env: { WATCHDOG_USEC: "0" } },
  { name: "with an unreadable limit", env: { WATCHDOG_USEC: "soon" } },
])("a watchdog $name is not fed", async ({ env }) => {
  const { service, clock } = open({ NOTIFY_SOCKET: "/nowhere/notify", ...env });

  service.ready("ready");

  expect(clock.pendingActions).toBe(0);
  service.close();
});

test("without a manager, a reload still happens, and nothing is logged", async () => {
  const { service, logger, clock } = open({ NOTIFY_SOCKET: "", WATCHDOG_USEC: "30000000" });
  let reloads = 0;

  service.ready("ready");
  await service.reload(async () => void (reloads += 1));
  service.stopping("stopping");
  service.close();

  expect({ reloads, lines: logger.lines, pending: clock.pendingActions }).toEqual({
    reloads: 1,
    lines: [],
    pending: 0,
  });
});

test.each([
  { name: "a socket that is missing", address: join(temporaryFolder(), "missing") },
  { name: "an address of another kind", address: "vsock:2:1234" },
])("$name is one line in the log", async ({ address }) => {
  const { service, logger } = open({ NOTIFY_SOCKET: address });

  service.ready("ready");
  await service.reload(async () => {});
  service.close();

  expect(logger.lines).toMatchObject([{ level: "warning", event: "cannot_notify" }]);
});
