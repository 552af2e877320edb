/** Resolves with the promise, or when nobody waits for it any longer. */
export async function untilAborted(
  promise: Promise<unknown>,
  cancelled: AbortSignal,
): Promise<void> {
  if (cancelled.aborted) return;
  const aborted = Promise.withResolvers<void>();
  const abort = () => aborted.resolve();
  cancelled.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([promise, aborted.promise]);
  } finally {
    cancelled.removeEventListener("abort", abort);
  }
}
