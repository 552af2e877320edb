import { describe, expect, test } from "bun:test";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const PAGE = "https://shop.example";
const GRANT = "access-control-allow-origin";

/** Returns the preflight of a browser before a page of another origin sends JSON. */
function preflight(origin: string, requestedHeaders = "content-type"): RequestInit {
  return {
    method: "OPTIONS",
    headers: {
      Origin: origin,
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": requestedHeaders,
    },
  };
}

function corsHeaders({ headers }: Response) {
  return Object.fromEntries([...headers].filter(([name]) => /^(access|vary)/.test(name)));
}

describe("a preflight", () => {
  test("is answered with the permitted method and headers, and a time to cache them", async () => {
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
    { name: "one of the permitted ones", corsOrigins: ["https://a.example", PAGE], granted: PAGE },
    { name: "permitted by *", corsOrigins: ["*"], granted: PAGE },
    { name: "not permitted", corsOrigins: ["https://a.example"], granted: null },
    { name: "permitted only without TLS", corsOrigins: ["http://shop.example"], granted: null },
    { name: "permitted only on another port", corsOrigins: [`${PAGE}:8443`], granted: null },
  ])(
    "from an origin that is $name gets the permission $granted",
    async ({ corsOrigins, granted }) => {
      const { request } = runOtlpHttp({ corsOrigins });

      const response = await request("/v1/traces", preflight(PAGE));

      expect(response.status).toBe(204);
      expect(response.headers.get(GRANT)).toBe(granted);
      expect(response.headers.get("vary")).toBe("Origin");
    },
  );

  test.each(["x".repeat(1025), "content-type; x", "a,,b", ""])(
    "that requests the headers %p gets the default headers",
    async (requested) => {
      const { request } = runOtlpHttp({ corsOrigins: [PAGE] });

      const { headers } = await request("/v1/traces", preflight(PAGE, requested));

      expect(headers.get("access-control-allow-headers")).toBe("content-type, content-encoding");
    },
  );
});

describe("without OTLP_HTTP_CORS_ORIGINS", () => {
  test("a preflight is answered with 405", async () => {
    const { request } = runOtlpHttp();

    const response = await request("/v1/traces", preflight(PAGE));

    expect(response.status).toBe(405);
    expect(corsHeaders(response)).toEqual({});
  });

  test("answers have no CORS headers", async () => {
    const { send } = runOtlpHttp();

    const response = await send("", { headers: { Origin: PAGE } });

    expect(response.status).toBe(200);
    expect(corsHeaders(response)).toEqual({});
  });
});

describe("the answer to a request from a page", () => {
  test("is readable by the page, including Retry-After", async () => {
    const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

    const response = await send("", { headers: { Origin: PAGE } });

    expect(corsHeaders(response)).toEqual({
      "access-control-allow-origin": PAGE,
      "access-control-allow-credentials": "true",
      "access-control-expose-headers": "Retry-After",
      vary: "Origin",
    });
  });

  test("is readable by the page if it is a failure", async () => {
    const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

    const response = await send("", { path: "/nothing", headers: { Origin: PAGE } });

    expect(response.status).toBe(404);
    expect(response.headers.get(GRANT)).toBe(PAGE);
  });

  test.each([{ headers: {} }, { headers: { Origin: "https://evil.example" } }])(
    "has no permission for $headers",
    async ({ headers }) => {
      const { send } = runOtlpHttp({ corsOrigins: [PAGE] });

      expect(corsHeaders(await send("", { headers }))).toEqual({ vary: "Origin" });
    },
  );
});

test("OPTIONS that is not a preflight is answered with 405", async () => {
  const { request } = runOtlpHttp({ corsOrigins: [PAGE] });

  expect((await request("/v1/traces", { method: "OPTIONS" })).status).toBe(405);
});
