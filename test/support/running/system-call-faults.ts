/** What becomes of every call, as `strace --inject` spells it. */
export type CallFault = `error=${string}` | `signal=${string}` | `delay_enter=${number}`;

/** Faults in the system calls of a process, which end when this is disposed of. */
export type CallFaults = AsyncDisposable;

/** Whether this user may trace processes with strace. */
export const CAN_TRACE =
  Bun.which("strace") !== null &&
  Bun.spawnSync(["strace", "-qq", "-o", "/dev/null", "-e", "inject=close:delay_enter=1", "true"])
    .success;

/**
 * Applies a fault to every call of this kind in a running process, in all its threads; resolves
 * once it applies.
 *
 * `calls` is a set of names as strace has them: `?unlink,?unlinkat`.
 */
export async function injectFault(
  pid: number,
  calls: string,
  fault: CallFault,
): Promise<CallFaults> {
  const filter = ["-e", `trace=${calls}`, "-e", `inject=${calls}:${fault}`];
  const tracer = Bun.spawn(["strace", "-f", "-p", String(pid), "-o", "/dev/null", ...filter], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  await firstMatch(tracer.stderr, /attached/);
  return {
    [Symbol.asyncDispose]: async () => {
      tracer.kill("SIGINT");
      await tracer.exited;
    },
  };
}

/** Resolves once a text contains this; rejects with the text if it ends without. */
async function firstMatch(stream: ReadableStream<Uint8Array>, pattern: RegExp): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of stream) {
    text += decoder.decode(piece, { stream: true });
    if (pattern.test(text)) return;
  }
  throw new Error(`strace has not attached: ${text}`);
}
