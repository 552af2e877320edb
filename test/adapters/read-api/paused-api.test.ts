import { expect, test } from "bun:test";
import { connect } from "node:net";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const HEALTHZ = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

test("a pause refuses connections, but keeps waits", async () => {
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

test("relieve() closes idle connections, but keeps waits", async () => {
  const { api, request, put, waiters } = runReadApi({ spanCount: 0 });
  const waiting = request("/api/wait?name=span+1&timeout=10m");
  await waiters(1);
  const idle = connect({ port: api.port, host: "127.0.0.1" });
  const closed = new Promise((resolve) => idle.once("close", () => resolve("closed")));
  const answered = () =>
    new Promise((resolve) => {
      idle.once("data", () => resolve("answered")).write(HEALTHZ);
    });
  const before = await answered();

  api.relieve();
  const after = await Promise.race([closed, answered()]);
  put(requestOf(1));

  expect([before, after]).toEqual(["answered", "closed"]);
  expect((await waiting).status).toBe(200);
});
