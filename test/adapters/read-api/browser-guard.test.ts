import { expect, test } from "bun:test";
import { checkBrowser, isLoopbackName } from "../../../src/adapters/read-api/browser-guard.ts";
import { ROUTES } from "../../../src/adapters/read-api/routes.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const refused = 403;

type Refusal = typeof refused;

test.each<{ name: string; host?: string; origin?: string; loopback: boolean; status?: Refusal }>([
  { name: "a program, by name", host: "localhost:4319", loopback: true },
  { name: "a program, by address", host: "127.0.0.1:4319", loopback: true },
  { name: "a program, by IPv6 address", host: "[::1]:4319", loopback: true },
  { name: "a program, by another loopback address", host: "127.9.9.9", loopback: true },
  { name: "a program without Host", loopback: true },
  {
    name: "a page of the API",
    host: "localhost:4319",
    origin: "http://localhost:4319",
    loopback: true,
  },
  {
    name: "a page of the API behind a TLS proxy",
    host: "spans.example.com",
    origin: "https://spans.example.com",
    loopback: false,
  },
  { name: "a probe by address", host: "10.1.2.3:4319", loopback: false },
  { name: "a rebound name", host: "evil.example:4319", loopback: true, status: refused },
  {
    name: "a rebound name, with its own origin",
    host: "evil.example:4319",
    origin: "http://evil.example:4319",
    loopback: true,
    status: refused,
  },
  {
    name: "a name that begins with localhost",
    host: "localhost.evil.example",
    loopback: true,
    status: refused,
  },
  {
    name: "a name that begins with an address",
    host: "127.0.0.1.nip.io",
    loopback: true,
    status: refused,
  },
  { name: "an invalid Host", host: "a b", loopback: true, status: refused },
  { name: "an empty Host", host: "", loopback: true, status: refused },
  {
    name: "a page of another site",
    host: "localhost:4319",
    origin: "https://evil.example",
    loopback: true,
    status: refused,
  },
  {
    name: "a page of another port",
    host: "localhost:4319",
    origin: "http://localhost:3000",
    loopback: true,
    status: refused,
  },
  {
    name: "a page without an origin",
    host: "localhost:4319",
    origin: "null",
    loopback: true,
    status: refused,
  },
  {
    name: "a page of another site, if the API is not on the loopback",
    host: "spans.example.com",
    origin: "https://evil.example",
    loopback: false,
    status: refused,
  },
  {
    name: "a page without an origin, with an invalid Host",
    host: "a b",
    origin: "null",
    loopback: false,
    status: refused,
  },
])("the status for $name is $status", ({ host, origin, loopback, status }) => {
  const headers = new Headers({
    ...(host === undefined ? {} : { host }),
    ...(origin === undefined ? {} : { origin }),
  });

  expect(checkBrowser({ method: "GET", headers }, loopback)?.status).toBe(status);
});

const LINK = { site: "cross-site", mode: "navigate", dest: "document", user: "?1" };

// Headers of browsers. A GET without CORS has no Origin: only the fetch metadata identify it.
test.each<{ name: string; method?: string; fetched: Record<string, string>; status?: Refusal }>([
  { name: "a program", fetched: {} },
  { name: "a typed address", fetched: { ...LINK, site: "none" } },
  { name: "a page of the API", fetched: { site: "same-origin", mode: "cors", dest: "empty" } },
  { name: "a followed link", fetched: LINK },
  { name: "a followed link from another port", fetched: { ...LINK, site: "same-site" } },
  { name: "a HEAD request by a link", method: "HEAD", fetched: LINK, status: refused },
  { name: "a form of another site", method: "POST", fetched: LINK, status: refused },
  {
    name: "an image in another site's page",
    fetched: { site: "cross-site", mode: "no-cors", dest: "image" },
    status: refused,
  },
  {
    name: "a script in a page of another port",
    fetched: { site: "same-site", mode: "no-cors", dest: "script" },
    status: refused,
  },
  { name: "a navigation without the user", fetched: { ...LINK, user: "" }, status: refused },
  { name: "a frame in another site's page", fetched: { ...LINK, dest: "iframe" }, status: refused },
  { name: "a fetch with user activation", fetched: { ...LINK, mode: "cors" }, status: refused },
  { name: "an unknown site value", fetched: { site: "cross-planet" }, status: refused },
])("the status for the fetch metadata of $name is $status", (given) => {
  const { method = "GET", fetched, status } = given;
  const metadata = Object.entries(fetched).map(([name, value]) => [`sec-fetch-${name}`, value]);
  const headers = new Headers({ host: "localhost:4319", ...Object.fromEntries(metadata) });

  expect(checkBrowser({ method, headers }, true)?.status).toBe(status);
});

test.each([
  ["localhost", true],
  ["127.0.0.1", true],
  ["::1", true],
  ["0.0.0.0", false],
  ["::", false],
  ["192.168.1.1", false],
])("%s is a loopback name: %p", (name, expected) => {
  expect(isLoopbackName(name)).toBe(expected);
});

const pages = [
  { page: "of another origin", headers: { Origin: "https://evil.example" } },
  { page: "with a rebound name", headers: { Host: "evil.example" } },
  { page: "that sends a request without CORS", headers: { "Sec-Fetch-Site": "cross-site" } },
];

test.each(ROUTES.flatMap(({ method, path }) => pages.map((each) => ({ method, path, ...each }))))(
  "a page $page is refused by $method $path",
  async ({ method, path, headers }) => {
    const { request, ring } = runReadApi();

    const response = await request(path, { method, headers });

    expect(response.status).toBe(403);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
    expect(ring.size()).toBe(5);
  },
);

test("the preflight of a DELETE is refused", async () => {
  const { request } = runReadApi();
  const headers = { Origin: "https://evil.example", "Access-Control-Request-Method": "DELETE" };

  const response = await request("/api/spans", { method: "OPTIONS", headers });

  expect(response.status).toBe(403);
});

test("any Host is accepted on an address that other machines can reach", async () => {
  const { request } = runReadApi({ address: { host: "0.0.0.0", port: 0 } });

  const response = await request("/healthz", { headers: { Host: "collector.example:4319" } });

  expect(response.status).toBe(200);
});

test.each(["127.1", "LOCALHOST", "::ffff:127.0.0.1"])(
  "a page with a rebound name is refused by a listener on %s",
  async (host) => {
    const { api, request } = runReadApi({ address: { host, port: 0 } });
    await api.listening;

    const response = await request("/api/spans", { headers: { Host: "evil.example" } });

    expect(response.status).toBe(403);
  },
);
