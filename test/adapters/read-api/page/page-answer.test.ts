import { expect, test } from "bun:test";
import { openedGate } from "../../../support/fakes/opened-gate.ts";
import { runReadApi, stopReadApisAfterEach } from "../../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const TRACE = "/traces/0af7651916cd43dd8448eb211c80319c?span=b7ad6b7169203331";

test.each(["/", "/?service=shop", TRACE, "/compare/1/2", "/services", "/buffer", "/connect"])(
  "%s is the page",
  async (path) => {
    const response = await runReadApi().request(path);

    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/html; charset=utf-8");
    expect(await response.text()).toContain('src="/assets/page.js"');
  },
);

test.each([
  ["/assets/page.js", "text/javascript; charset=utf-8"],
  ["/assets/page.css", "text/css; charset=utf-8"],
])("%s has its type", async (path, type) => {
  const response = await runReadApi().request(path);

  expect(response.headers.get("content-type")).toBe(type);
  expect((await response.text()).length).toBeGreaterThan(1000);
});

test("the page runs no inline code, and reaches no other host", async () => {
  const { headers } = await runReadApi().request("/");
  const policy = headers.get("content-security-policy")!;

  expect(policy).toStartWith("default-src 'none'; script-src 'self'; style-src 'self';");
  expect(policy).toContain("connect-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
});

test.each([
  ["gzip, br", "gzip"],
  ["identity", null],
])("with Accept-Encoding %s, the encoding is %p", async (accepted, encoding) => {
  const { request } = runReadApi();
  const response = await request("/", { headers: { "Accept-Encoding": accepted } });

  expect(response.headers.get("content-encoding")).toBe(encoding);
  expect(await response.text()).toContain("<title>spanring</title>");
});

test("the page needs no token, because it holds no spans", async () => {
  const { request } = runReadApi({ gate: openedGate("zero").gate });

  expect((await request("/")).status).toBe(200);
  expect((await request("/api/traces")).status).toBe(401);
});

test("other methods and other paths are not the page", async () => {
  const { request } = runReadApi();

  expect((await request("/", { method: "POST" })).status).toBe(404);
  expect((await request("/assets/page.map")).status).toBe(404);
  expect((await request("/traces/")).status).toBe(404);
});

test("a page of another origin cannot show the page in a frame", async () => {
  const { request } = runReadApi();
  const headers = { "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe" };

  expect((await request("/", { headers })).status).toBe(403);
});
