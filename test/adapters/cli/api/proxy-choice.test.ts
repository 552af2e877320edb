import { expect, test } from "bun:test";
import { routeTo } from "../../../../src/adapters/cli/api/connection-fault.ts";

test.each([
  "http://127.0.0.1:4319/api/stats",
  "http://127.8.9.1",
  "http://2130706433:4319",
  "http://localhost:4318/v1/traces",
  "https://LOCALHOST",
  "http://spans.localhost",
  "http://[::1]:4319",
  "http://0.0.0.0:4318",
])("requests to %s bypass the proxy", (url) => {
  expect(routeTo(url, "/a")).toEqual({ url: `${url}/a`, options: { proxy: false } });
});

test.each([
  "http://collector:4319",
  "http://127.0.0.1.example.com",
  "http://localhost.example.com",
  "http://10.0.0.1",
  "no URL",
])("requests to %s use the proxy of the environment", (url) => {
  expect(routeTo(url, "/a")).toEqual({ url: `${url}/a`, options: {} });
});

test("a Unix socket is reached directly, under any path that is wanted", () => {
  const options = { unix: "/run/api.sock", proxy: false } as const;

  expect(routeTo("unix:/run/api.sock", "/a")).toEqual({ url: "http://localhost/a", options });
  expect(routeTo("unix:///run/api.sock", "", "/v1/traces")).toEqual({
    url: "http://localhost/v1/traces",
    options,
  });
});
