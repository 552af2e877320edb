import { dlopen } from "bun:ffi";

/** What the runtime cannot do with signals, and the C library can. */
export interface NativeSignals {
  /** Has the system discard a signal; returns whether it did so before. */
  ignore(signal: number): boolean;
}

const MACHINE = process.arch === "arm64" ? "aarch64" : "x86_64";

/** The C library of GNU, of musl and of macOS. */
const LIBRARIES = ["libc.so.6", `libc.musl-${MACHINE}.so.1`, "libSystem.B.dylib"];

/** Source: signal(2). */
const SIG_IGN = 1;
const SIGNAL = { signal: { args: ["i32", "i64"], returns: "i64" } } as const;

/** Where none of the libraries can be called, signals stay as they are. */
export function nativeSignals(libraries: readonly string[] = LIBRARIES): NativeSignals {
  for (const library of libraries) {
    try {
      const { signal } = dlopen(library, SIGNAL).symbols;
      return { ignore: (number) => Number(signal(number, SIG_IGN)) === SIG_IGN };
    } catch {
      // It belongs to another system.
    }
  }
  return { ignore: () => false };
}
