import { dlopen, ptr } from "bun:ffi";

/** Sends datagrams to the socket of a service manager. */
export interface NotifySocket {
  /** Returns whether the manager's socket has taken the message. It never waits. */
  send(message: string): boolean;
  /** Returns the time of CLOCK_MONOTONIC in microseconds. */
  monotonicMicros(): bigint;
  close(): void;
}

const FUNCTIONS = {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "u64", "i32", "ptr", "u32"], returns: "i64" },
  clock_gettime: { args: ["i32", "ptr"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
} as const;

/** Source: unix(7), socket(2) and clock_gettime(2) of Linux, for x86-64 and arm64. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
const MAX_PATH_BYTES = 108;

const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

/** The C library of GNU, and that of musl. */
const LIBRARIES = ["libc.so.6", `libc.musl-${MACHINE}.so.1`];

/**
 * Opens a socket that sends to this path, or to an abstract name such as `@systemd`. The runtime
 * has no datagrams on Unix sockets (Bun 1.4.5), so it calls the C library. Returns undefined where
 * there is none of Linux, and for an address of another kind.
 */
export function openNotifySocket(
  address: string,
  libraries: readonly string[] = LIBRARIES,
): NotifySocket | undefined {
  const name = socketName(address);
  const native = name && nativeFunctions(libraries);
  if (native === undefined) return undefined;
  const descriptor = native.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  return {
    send: (message) => {
      const bytes = Buffer.from(message);
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const to = [ptr(name!), name!.length] as const;
      return Number(native.sendto(descriptor, ptr(bytes), bytes.length, flags, ...to)) >= 0;
    },
    monotonicMicros: () => {
      const time = new BigInt64Array(2);
      native.clock_gettime(CLOCK_MONOTONIC, ptr(time));
      return time[0]! * 1_000_000n + time[1]! / 1_000n;
    },
    close: () => void native.close(descriptor),
  };
}

/** Returns a `sockaddr_un`; undefined if the address is neither a path nor an abstract name. */
function socketName(address: string): Buffer | undefined {
  const path = Buffer.from(address);
  if (!/^[/@]./.test(address) || path.length >= MAX_PATH_BYTES) return undefined;
  // A name that begins with a zero byte is abstract. A path ends with one.
  const isAbstract = address.startsWith("@");
  if (isAbstract) path[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path, Buffer.alloc(isAbstract ? 0 : 1)]);
}

function nativeFunctions(libraries: readonly string[]) {
  for (const library of process.platform === "linux" ? libraries : []) {
    try {
      return dlopen(library, FUNCTIONS).symbols;
    } catch {
      // The library of another kind of Linux.
    }
  }
  return undefined;
}
