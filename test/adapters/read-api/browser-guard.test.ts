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
    name: "a page of ours",
    host: "localhost:4319",
    origin: "http://localhost:4319",
    loopback: true,
  },
  {
    name: "a page of ours behind a proxy for TLS",
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
    name: "a name that begins like ours",
    host: "localhost.evil.example",
    loopback: true,
    status: refused,
  },
  {
    name: "a name that begins like an address",
    host: "127.0.0.1.nip.io",
    loopback: true,
    status: refused,
  },
  { name: "a Host that is none", host: "a b", loopback: true, status: refused },
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
    name: "a page of no origin",
    host: "localhost:4319",
    origin: "null",
    loopback: true,
    status: refused,
  },
  {
    name: "a page of another site, when all may connect",
    host: "spans.example.com",
    origin: "https://evil.example",
    loopback: false,
    status: refused,
  },
  {
    name: "a page of no origin, with a Host that is none",
    host: "a b",
    origin: "null",
    loopback: false,
    status: refused,
  },
])("$name is answered with $status", ({ host, origin, loopback, status }) => {
  const headers = new Headers({
    ...(host === undefined ? {} : { host }),
    ...(origin === undefined ? {} : { origin }),
  });

  expect(checkBrowser({ method: "GET", headers }, loopback)?.status).toBe(status);
});

const LINK = { site: "cross-site", mode: "navigate", dest: "document", user: "?1" };

// What browsers send. Without CORS, a GET carries no Origin: the fetch metadata are all there is.
test.each<{ name: string; method?: string; fetched: Record<string, string>; status?: Refusal }>([
  { name: "a program", fetched: {} },
  { name: "an address that was typed", fetched: { ...LINK, site: "none" } },
  { name: "a page of ours", fetched: { site: "same-origin", mode: "cors", dest: "empty" } },
  { name: "a link that a person followed", fetched: LINK },
  { name: "the same from another port", fetched: { ...LINK, site: "same-site" } },
  { name: "the same, asking for no body", method: "HEAD", fetched: LINK, status: refused },
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
  { name: "a page that sends itself here", fetched: { ...LINK, user: "" }, status: refused },
  { name: "a frame in another site's page", fetched: { ...LINK, dest: "iframe" }, status: refused },
  { name: "a fetch in a person's name", fetched: { ...LINK, mode: "cors" }, status: refused },
  { name: "a site that is not known yet", fetched: { site: "cross-planet" }, status: refused },
])("$name is answered with $status by its fetch metadata", (given) => {
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
])("%s is only for this machine: %p", (name, expected) => {
  expect(isLoopbackName(name)).toBe(expected);
});

const pages = [
  { page: "of another origin", headers: { Origin: "https://evil.example" } },
  { page: "with a rebound name", headers: { Host: "evil.example" } },
  { page: "that asks without CORS", headers: { "Sec-Fetch-Site": "cross-site" } },
];

test.each(ROUTES.flatMap(({ method, path }) => pages.map((each) => ({ method, path, ...each }))))(
  "a page $page gets nothing from $method $path",
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

test("on an address that other machines can reach, any Host is accepted", async () => {
  const { request } = runReadApi({ address: { host: "0.0.0.0", port: 0 } });

  const response = await request("/healthz", { headers: { Host: "collector.example:4319" } });

  expect(response.status).toBe(200);
});
