import { expect, test } from "bun:test";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

test("a pause lets nobody in, and whoever waits goes on waiting", async () => {
  const { api, request, put, waiters } = runReadApi({ spanCount: 0 });
  const waiting = request("/api/wait?name=span+1&timeout=10m");
  await waiters(1);

  api.pause();
  const refused: unknown = await request("/healthz").catch((error: unknown) => error);
  await api.resume();
  const during = api.counts();
  put(requestOf(1));

  expect(refused).toMatchObject({ code: "ECONNREFUSED" });
  expect(during.waits).toBe(1);
  expect((await waiting).status).toBe(200);
  expect((await request("/healthz")).status).toBe(200);
});
