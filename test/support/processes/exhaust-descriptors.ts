import { connect, type Socket } from "node:net";

/** Below the limit of open files, which is that of the receiver. */
const SOCKETS_PER_PROCESS = 30;
const PROCESSES = 4;

/**
 * Opens more connections than a receiver with 64 open files can accept, each with half a request,
 * and ends when the receiver closes one that it has not accepted. One process could not hold them
 * all, so each starts the next one.
 */
async function exhaust(url: URL, processes: number): Promise<void> {
  const sockets = Array.from({ length: SOCKETS_PER_PROCESS }, () => halfRequest(url));
  await (processes > 1 ? nextProcess(processes - 1) : Promise.race(sockets.map(closed)));
  for (const socket of sockets) socket.destroy();
}

function halfRequest({ hostname: host, port }: URL): Socket {
  const socket = connect({ host, port: Number(port) }).resume();
  socket.on("error", () => {});
  socket.write("POST /v1/traces HTTP/1.1\r\n");
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

async function nextProcess(processes: number): Promise<void> {
  const argv = [process.execPath, import.meta.path, VARIABLE, String(processes)];
  const next = Bun.spawn(argv, { stdio: ["ignore", "inherit", "inherit"] });
  if ((await next.exited) !== 0) throw new Error("the next process failed");
}

const [VARIABLE = "", PROCESSES_LEFT = String(PROCESSES)] = process.argv.slice(2);

await exhaust(new URL(process.env[VARIABLE]!), Number(PROCESSES_LEFT));
