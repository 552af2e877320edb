import { expect, test } from "bun:test";
import { countedSignal } from "../../support/fakes/counted-listeners.ts";
import { follow } from "../../support/running/followed-tail.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";
import { nextTurn } from "../../support/running/searched-ring.ts";

stopReadApisAfterEach();

// Goal: long answers leave no listeners when they end.
// Method: the listeners of the stop signal, which lives longer than every answer, are counted.

test("a wait that has ended no longer listens for the stop of the program", async () => {
  const { signal, listening } = countedSignal();
  const run = runReadApi({ stopping: signal });
  const before = listening();
  const waiting = run.request("/api/wait?name=span+6&timeout=10m");
  await run.waiters(1);
  const during = listening();

  run.put(requestOf(1, 6));
  const answers = [await waiting, await run.request("/api/wait?name=never&timeout=0s")];

  expect(answers.map(({ status }) => status)).toEqual([200, 408]);
  expect(during).toBeGreaterThan(before);
  expect(listening()).toBe(before);
});

test("a tail that has ended no longer listens for the stop of the program", async () => {
  const { signal, listening } = countedSignal();
  const run = runReadApi({ stopping: signal });
  const before = listening();
  const leaving = new AbortController();
  const tails = [await follow(run, "", leaving), await follow(run, "?name=no", leaving)];
  for (const { reader } of tails) reader.closed.catch(() => {});
  const during = listening();

  leaving.abort();
  while (run.api.counts().tails > 0) await nextTurn();

  expect([during - before, listening() - before]).toEqual([2, 0]);
});
