import { useEffect } from "preact/hooks";

/**
 * Repeats a request while the component is shown, and `periodMs` after the last one has ended. A
 * hidden tab waits. A change of `subject` starts again at once.
 */
export function usePolling(
  request: (signal: AbortSignal) => Promise<void>,
  periodMs: number,
  subject: unknown,
): void {
  useEffect(() => {
    const ending = new AbortController();
    void repeat(request, periodMs, ending.signal);
    return () => ending.abort();
  }, [subject]);
}

async function repeat(
  request: (signal: AbortSignal) => Promise<void>,
  periodMs: number,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    // oxlint-disable-next-line no-await-in-loop -- one request after the other
    if (!document.hidden) await request(signal).catch(() => {});
    // oxlint-disable-next-line no-await-in-loop -- a pause between requests
    await new Promise((resolve) => setTimeout(resolve, periodMs));
  }
}
