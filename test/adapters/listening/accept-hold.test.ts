import { afterEach, describe, expect, spyOn, test } from "bun:test";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { AcceptHold } from "../../../src/adapters/listening/accept-hold.ts";
import { nativeSockets } from "../../../src/adapters/listening/native-sockets.ts";
import { notRun } from "../../support/running/not-run.ts";

// `test/contract/pausable-listener.test.ts` shows what a hold means to the peers.

/** Empty on systems that cannot hold back connections. */
const SYSTEMS = process.platform === "linux" ? ["Linux"] : [];
if (SYSTEMS.length === 0) notRun(6, "only Linux can hold back connections");

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Listens, and counts the connections that it accepts. */
function listen(host = "127.0.0.1") {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.end("accepted");
  });
  servers.push(server);
  server.listen(0, host);
  const { port } = server.address() as AddressInfo;
  return { port, accepted: () => accepted };
}

/** Connects in a process of its own, while this thread waits; Linux defers silent connections. */
function connectBesides(port: number): void {
  const { exitCode } = Bun.spawnSync([
    process.execPath,
    "-e",
    `const socket = require("node:net").connect(${port}, "127.0.0.1");
     socket.write("a", () => process.exit());`,
  ]);
  expect(exitCode).toBe(0);
}

async function isAccepted(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write("a");
  return await new Promise((resolve) => {
    socket.once("data", () => resolve(true));
    socket.once("close", () => resolve(false));
  });
}

const ROOT = join(import.meta.dir, "../../..");

describe.each(SYSTEMS)("on %s", () => {
  test.each(["127.0.0.1", "::"])(
    "connections to %s that wait already are closed, so that they keep no one busy",
    async (host) => {
      const { port, accepted } = listen(host);
      const hold = new AcceptHold(port);
      connectBesides(port);

      const isHeld = hold.begin();
      hold.end();
      const isNextAccepted = await isAccepted(port);

      expect([isHeld, isNextAccepted]).toEqual([true, true]);
      expect(accepted()).toBe(1);
    },
  );

  test.each([
    { name: "there is no descriptor", faults: { closeWaiting: () => false } },
    { name: "the system ignores the filter", faults: { hasWaiting: () => true } },
    { name: "the system has no filters", faults: { set: () => false } },
  ])("connections are accepted as before if $name", async ({ faults }) => {
    const { port, accepted } = listen();
    const hold = new AcceptHold(port);
    const native = nativeSockets()!;
    connectBesides(port);

    let isHeld: boolean;
    {
      const spies = Object.entries({ closeWaiting: () => true, ...faults }).map(([name, fault]) =>
        spyOn(native, name as keyof typeof native).mockImplementation(fault as () => never),
      );
      isHeld = hold.begin();
      for (const spy of spies) spy.mockRestore();
    }

    expect([isHeld, hold.isHeld]).toEqual([false, false]);
    expect(await isAccepted(port)).toBe(true);
    expect(accepted()).toBe(2);
  });

  test("the last descriptor is kept for the connections that wait", async () => {
    const code = `
    const { openSync } = require("node:fs");
    const { createServer } = require("node:net");
    const { AcceptHold } = await import("./src/adapters/listening/accept-hold.ts");
    const { nativeSockets } = await import("./src/adapters/listening/native-sockets.ts");
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    const { port } = server.address();
    const hold = new AcceptHold(port);
    const native = nativeSockets();
    const numbers = Array.from({ length: 64 }, (_, descriptor) => descriptor);
    const listening = numbers.find((descriptor) => native.listeningPort(descriptor) === port);
    const exhaust = () => {
      try {
        for (;;) openSync("/dev/null");
      } catch (error) {
        return error.code;
      }
    };
    console.log(port);
    const first = exhaust();
    while (!native.hasWaiting(listening));
    console.log([first, hold.begin(), native.hasWaiting(listening), exhaust()].join());
    process.exit();`;
    const command = ["sh", "-c", 'ulimit -n 64 && exec "$@"', "sh", process.execPath, "-e", code];
    const child = Bun.spawn(command, { cwd: ROOT, stderr: "inherit" });

    let output = "";
    for await (const bytes of child.stdout) {
      const isFirst = output === "";
      output += Buffer.from(bytes).toString();
      if (isFirst)
        connect(Number(output), "127.0.0.1")
          .on("error", () => {})
          .write("a");
    }

    expect(output).toMatch(/^\d+\nEMFILE,true,false,EMFILE\n$/);
  });
});

test("a port at which this process does not listen cannot be held", async () => {
  const { port } = listen();
  await new Promise<void>((resolve) => void servers.pop()!.close(() => resolve()));

  expect(new AcceptHold(port).begin()).toBe(false);
});

test("a Unix socket cannot be held", () => {
  const hold = new AcceptHold(0);

  expect([hold.isPossible, hold.begin()]).toEqual([false, false]);
});
