/**
 * Lets the first `fetch` of the process be one to nowhere. It starts the thread that all others
 * use, which takes file descriptors; where none is left, Bun 1.4.5 ends the process, and the ring
 * with it (https://github.com/oven-sh/bun/pull/33850). Later it rejects, as it should.
 */
export async function startFetchThread(): Promise<void> {
  // Nothing can listen on port 0, so the system refuses it without a packet.
  await fetch("http://127.0.0.1:0/", { proxy: false }).catch(() => {});
}
