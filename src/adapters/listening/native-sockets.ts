import { dlopen, ptr } from "bun:ffi";
import { closeSync } from "node:fs";

/** What the runtime cannot do with sockets, on Linux. */
export interface NativeSockets {
  set(descriptor: number, option: number, value: NodeJS.TypedArray): boolean;
  /** Closes a socket, and leaves a copy of a file at its descriptor, for the runtime to close. */
  replace(descriptor: number, file: number): void;
  /** Returns the port at which a socket of TCP listens; undefined for everything else. */
  listeningPort(descriptor: number): number | undefined;
  /** Reports whether a connection waits to be accepted. */
  hasWaiting(descriptor: number): boolean;
  /** Accepts the connection that waits, and closes it. Returns whether there is a descriptor. */
  closeWaiting(descriptor: number): boolean;
}

const I32 = "i32";
const FUNCTIONS = {
  setsockopt: { args: [I32, I32, I32, "ptr", "u32"], returns: I32 },
  getsockopt: { args: [I32, I32, I32, "ptr", "ptr"], returns: I32 },
  getsockname: { args: [I32, "ptr", "ptr"], returns: I32 },
  accept: { args: [I32, "ptr", "ptr"], returns: I32 },
  poll: { args: ["ptr", "u64", I32], returns: I32 },
  dup2: { args: [I32, I32], returns: I32 },
} as const;

const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";
const LIBRARIES = ["libc.so.6", `libc.musl-${MACHINE}.so.1`];

let loaded: NativeSockets | undefined;

/** Returns undefined on systems other than Linux. Needs no descriptor. */
export function nativeSockets(): NativeSockets | undefined {
  loaded ??= load();
  return loaded;
}

function load(): NativeSockets | undefined {
  for (const library of process.platform === "linux" ? LIBRARIES : []) {
    try {
      return socketsOf(dlopen(library, FUNCTIONS).symbols);
    } catch {
      // The library of another kind of Linux.
    }
  }
  return undefined;
}

/** Source: socket(7), for x86-64 and arm64. */
const SOL_SOCKET = 1;
const SO_ACCEPTCONN = 30;
const POLLIN = 1;
const INTERNET_FAMILIES = new Set([2, 10]);

type Symbols = ReturnType<typeof dlopen<typeof FUNCTIONS>>["symbols"];

function socketsOf(native: Symbols): NativeSockets {
  const value = new Int32Array(1);
  const length = new Int32Array(1);
  /** Starts with the family in the order of this machine, and the port in that of the network. */
  const name = new DataView(new ArrayBuffer(128));
  /** The structure `pollfd`: a descriptor, what to look for, and what was found. */
  const polled = new Int32Array(2);
  const listens = (descriptor: number): boolean => {
    value[0] = 0;
    length[0] = value.byteLength;
    native.getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, ptr(value), ptr(length));
    return value[0] === 1;
  };
  return {
    set: (descriptor, option, given) =>
      native.setsockopt(descriptor, SOL_SOCKET, option, ptr(given), given.byteLength) === 0,
    replace: (descriptor, file) => void native.dup2(file, descriptor),
    listeningPort: (descriptor) => {
      if (!listens(descriptor)) return undefined;
      length[0] = name.byteLength;
      native.getsockname(descriptor, ptr(name), ptr(length));
      return INTERNET_FAMILIES.has(name.getUint16(0, true)) ? name.getUint16(2) : undefined;
    },
    hasWaiting: (descriptor) => {
      polled.set([descriptor, POLLIN]);
      return native.poll(ptr(polled), 1, 0) > 0;
    },
    closeWaiting: (descriptor) => {
      const accepted = native.accept(descriptor, null, null);
      if (accepted >= 0) closeSync(accepted);
      return accepted >= 0;
    },
  };
}

const BPF_RETURN = 0x06;

/** The instruction must stay in memory during the call that sets the program. */
let instruction = new Uint8Array(8);

/** Returns a program of one instruction, which returns this number. Source: bpf(4). */
export function filterProgram(result: number): Uint8Array {
  instruction = new Uint8Array(8);
  new DataView(instruction.buffer).setUint16(0, BPF_RETURN, true);
  new DataView(instruction.buffer).setUint32(4, result, true);
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint16(0, 1, true);
  new DataView(bytes.buffer).setBigUint64(8, BigInt(ptr(instruction)), true);
  return bytes;
}
