import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RecordingLogger } from "../support/fakes/recording-logger.ts";
import { countsOf } from "../support/fakes/problem-totals.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { sendHalf } from "../support/running/half-sent-call.ts";
import { runServer } from "../support/running/running-server.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";
import { startHttpUpstream } from "../support/upstreams/http-upstream.ts";

// The reactions of a running server to signals, within one process.

const folder = temporaryFolder();
const HOUR_MS = 3_600_000;

/** Starts a server that forwards with headers from a file; `send` resolves to the received key. */
async function forwardWithHeaders(name: string) {
  const path = join(folder, name);
  writeFileSync(path, "key=old\n");
  const upstream = startHttpUpstream(() => new Response());
  const logger = new RecordingLogger();
  const server = await runServer(
    {
      FORWARD_ENDPOINT: `http://127.0.0.1:${upstream.port}`,
      FORWARD_PROTOCOL: "http/protobuf",
      FORWARD_HEADERS_FILE: path,
      FORWARD_MAX_DELAY_MS: "0",
    },
    logger,
  );
  const send = async () => {
    const { length } = upstream.requests;
    await exportOverHttp(`http://127.0.0.1:${server.ports.http}`, requestOf(1));
    await upstream.arrivals.reached(length + 1);
    return upstream.requests.at(-1)!.headers.get("key");
  };
  const reloads = () => logger.lines.filter(({ event }) => event.includes("reload"));
  const stop = async () => {
    await server.stop(0);
    await upstream.stop();
  };
  return { path, server, send, reloads, stop };
}

test("a reload without files is logged as done", async () => {
  const logger = new RecordingLogger();
  const server = await runServer({}, logger);

  await server.reload();
  await server.stop(0);

  expect(logger.lines.filter(({ event }) => event.includes("reload"))).toEqual([
    { level: "info", event: "reloaded", fields: {} },
  ]);
});

test("a reload makes the file's new headers effective", async () => {
  const { path, server, send, reloads, stop } = await forwardWithHeaders("changed");

  const before = await send();
  writeFileSync(path, "key=new\n");
  await server.reload();
  const after = await send();
  await stop();

  expect([before, after]).toEqual(["old", "new"]);
  expect(reloads()).toEqual([
    { level: "info", event: "forward_reloaded", fields: { files: ["FORWARD_HEADERS_FILE"] } },
    { level: "info", event: "reloaded", fields: {} },
  ]);
});

test("a failed reload is logged with its remedy and keeps the old headers", async () => {
  const { path, server, send, reloads, stop } = await forwardWithHeaders("removed");

  rmSync(path);
  await server.reload();
  const after = await send();
  await stop();

  expect(after).toBe("old");
  expect(reloads()).toMatchObject([
    { event: "cannot_reload", fields: { variable: "FORWARD_HEADERS_FILE" } },
    { level: "warning", event: "not_reloaded", fields: { hint: expect.stringMatching(/SIGHUP/) } },
  ]);
});

test("a hurried stop does not wait for a call in flight", async () => {
  const server = await runServer({});
  using call = await sendHalf(Number(server.ports.grpc), requestOf(1));

  const stopped = server.stop(HOUR_MS);
  server.hurry();
  await stopped;

  await call.closed;
});

test("refusals since the start are counted", async () => {
  const server = await runServer({});
  const before = countsOf({ totals: server.problems });

  await fetch(`http://127.0.0.1:${server.ports.http}/v1/trace`, { method: "POST", body: "" });
  const after = countsOf({ totals: server.problems });
  await server.stop(0);

  expect([before, after]).toEqual([{}, { unknown_path: 1 }]);
});
