import { expect, test } from "bun:test";
import { UnkeptSignals } from "../../../src/application/unkept-signals.ts";
import { goldenRequest } from "../../support/golden-requests.ts";
import { RecordingLogger } from "../../support/recording-logger.ts";
import {
  runOtlpHttp,
  type SendOptions,
  stopOtlpHttpAfterEach,
} from "../../support/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const REQUEST = goldenRequest("events-links-status");

test("what is wrong by its headers is counted, by what it is", async () => {
  const { send, request, listener } = runOtlpHttp();

  await request("/v1/spans");
  await request("/v1/traces", { method: "PUT" });
  await send(REQUEST, { headers: { "Content-Type": "text/plain" } });
  await send(REQUEST, { headers: { "Content-Encoding": "br" } });
  await send(REQUEST);

  const wrong = { unknown_path: 1, wrong_method: 1, unsupported_media: 2 };
  expect(listener.counts().wrongRequests).toEqual(wrong);
});

test("what may have had spans is counted apart", async () => {
  const { send, listener } = runOtlpHttp();

  await send(REQUEST, { path: "/v1/trace" });
  await send(REQUEST, { path: "/v1/metrics/v1/traces" });
  await send(REQUEST, { headers: { "Content-Type": "text/plain" } });
  await send(REQUEST, { headers: { "Content-Encoding": "br" } });
  await send(REQUEST, { headers: { "Content-Encoding": "deflate" } });

  expect(listener.counts().unreadPosts).toEqual({ unknown_path: 2, unsupported_media: 3 });
});

test.each<{ name: string; sent: SendOptions }>([
  { name: "a PUT", sent: { path: "/v1/trace", method: "PUT" } },
  { name: "metrics", sent: { path: "/v1/metrics" } },
  { name: "logs below another path", sent: { path: "/otlp/v1/logs?a=b" } },
])("$name can have had no spans", async ({ sent }) => {
  const { send, listener } = runOtlpHttp();

  const { status } = await send(REQUEST, sent);

  expect(status).toBe(404);
  expect(listener.counts().unreadPosts).toEqual({ unknown_path: 0, unsupported_media: 0 });
});

test("nor can logs of an unknown type", async () => {
  const unkept = new UnkeptSignals(new RecordingLogger());
  const { send, listener } = runOtlpHttp({ unkept });

  const { status } = await send("", {
    path: "/v1/logs",
    headers: { "Content-Type": "text/plain" },
  });

  expect(status).toBe(415);
  expect(listener.counts().unreadPosts.unsupported_media).toBe(0);
});
