/**
 * Receives datagrams at a Unix socket, as a service manager does: `bun receive-datagrams.ts PATH`.
 * A PATH such as `@name` is abstract. Prints `null` once it listens, then each datagram as JSON.
 */
import { dlopen, ptr } from "bun:ffi";
import { writeSync } from "node:fs";

const { socket, bind, recv } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "u64", "i32"], returns: "i64" },
}).symbols;

const AF_UNIX = 1;
const SOCK_DGRAM = 2;

const path = Buffer.from(process.argv[2]!.replace(/^@/, "\0"));
const name = Buffer.concat([Buffer.of(AF_UNIX, 0), path]);
const descriptor = socket(AF_UNIX, SOCK_DGRAM, 0);
if (bind(descriptor, ptr(name), name.length) !== 0) throw new Error("the path cannot be bound");
writeSync(1, "null\n");
const buffer = Buffer.alloc(4096);
while (true) {
  const length = Number(recv(descriptor, ptr(buffer), buffer.length, 0));
  if (length < 0) throw new Error("the socket is broken");
  writeSync(1, `${JSON.stringify(buffer.toString("utf8", 0, length))}\n`);
}
