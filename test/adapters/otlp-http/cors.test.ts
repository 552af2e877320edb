import { describe, expect, test } from "bun:test";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const PAGE = "https://shop.example";
const GRANT = "access-control-allow-origin";

/** What a browser asks before it sends JSON from a page of another origin. */
function preflight(origin: string, askedHeaders = "content-type"): RequestInit {
  return {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": askedHeaders,
    },
  };
}

function corsHeaders({ headers }: Response) {
  return Object.fromEntries([...headers].filter(([name]) => /^(access|vary)/.test(name)));
}

describe("a browser that asks first", () => {
  test("gets what a page may send, and how long to cache it", async () => {
    const { request } = runOtlpHttp({ corsOrigins: [PAGE] });

    const response = await request("/v1/traces", preflight(PAGE, "content-type,x-tenant"));

    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(corsHeaders(response)).toEqual({
      "access-control-allow-origin": PAGE,
      "access-control-allow-credentials": "true",
      "access-control-allow-methods": "POST",
      "access-control-allow-headers": "content-type,x-tenant",
      "access-control-max-age": "7200",
      vary: "Origin",
    });
  });

  test.each([
    { name: "one of several", corsOrigins: ["https://a.example", PAGE], granted: PAGE },
    { name: "any", corsOrigins: ["*"], granted: PAGE },
    { name: "another", corsOrigins: ["https://a.example"], granted: null },
    { name: "the same without TLS", corsOrigins: ["http://shop.example"], granted: null },
    { name: "one on another port", corsOrigins: [`${PAGE}:8443`], granted: null },
  ])("where its origin is $name: $granted", async ({ corsOrigins, granted }) => {
    const { request } = runOtlpHttp({ corsOrigins });

    const response = await request("/v1/traces", preflight(PAGE));

    expect(response.status).toBe(204);
    expect(response.headers.get(GRANT)).toBe(granted);
    expect(response.headers.get("vary")).toBe("Origin");
  });

  test.each(["x".repeat(1025), "content-type; x", "a,,b", ""])(
    "hears of the usual headers when it asks for %p",
    async (asked) => {
      const { request } = runOtlpHttp({ corsOrigins: [PAGE] });

      const { headers } = await request("/v1/traces", preflight(PAGE, asked));

      expect(headers.get("access-control-allow-headers")).toBe("content-type, content-encoding");
    },
  );
});

describe("without OTLP_HTTP_CORS_ORIGINS", () => {
  test("asking first is a wrong method", async () => {
    const { request } = runOtlpHttp();

    const response = await request("/v1/traces", preflight(PAGE));

    expect(response.status).toBe(405);
    expect(corsHeaders(response)).toEqual({});
  });

  test("answers say nothing of other origins", async () => {
    const { send } = runOtlpHttp();

    const response = await send("", { headers: { Origin: PAGE } });

    expect(response.status).toBe(200);
    expect(corsHeaders(response)).toEqual({});
  });
});

describe("the answer to what a page sends", () => {
  test("can be read by the page, with the time to wait", async () => {
    const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

    const response = await send("", { headers: { Origin: PAGE } });

    expect(corsHeaders(response)).toEqual({
      "access-control-allow-origin": PAGE,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "Retry-After",
      vary: "Origin",
    });
  });

  test("can be read by the page also when it is a failure", async () => {
    const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

    const response = await send("", { path: "/nothing", headers: { Origin: PAGE } });

    expect(response.status).toBe(404);
    expect(response.headers.get(GRANT)).toBe(PAGE);
  });

  test.each([{ headers: {} }, { headers: { Origin: "https://evil.example" } }])(
    "grants nothing to $headers",
    async ({ headers }) => {
      const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

      expect(corsHeaders(await send("", { headers }))).toEqual({ vary: "Origin" });
    },
  );
});

test("OPTIONS that no browser sends is a wrong method", async () => {
  const { request } = runOtlpHttp({ corsOrigins: [PAGE] });

  expect((await request("/v1/traces", { method: "OPTIONS" })).status).toBe(405);
});
