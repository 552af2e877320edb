import { expect, test } from "bun:test";
import { callUnary, EXPORT_PATH, openGrpcClient } from "../../support/grpc/grpc-call.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running/running-read-api.ts";

stopReadApisAfterEach();

const RIGHT_PORTS =
  "this port serves the read API: OTLP/gRPC is at port 4317, OTLP/HTTP at port 4318";

test.each([
  { path: "/v1/traces", size: 10 },
  { path: "/otlp/v1/traces?token=secret", size: 5_000_000 },
  { path: "/v1/metrics", size: 0 },
  { path: "/v1/logs", size: 1_025 },
])(
  "OTLP/HTTP of $size bytes at $path is answered with the right port and recorded",
  async (given) => {
    const { request, problems } = runReadApi();
    const body = new Uint8Array(given.size);

    const answer = await request(given.path, { method: "POST", body });

    expect(answer.status).toBe(421);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject({
      title: "Misdirected Request",
      detail: RIGHT_PORTS,
    });
    expect(problems.list()).toMatchObject([
      {
        protocol: "api",
        reason: "otlp_on_api",
        address: "127.0.0.1",
        detail: given.path.split("?")[0]!,
      },
    ]);
  },
);

test.each([10, 3_000_000])(
  "gRPC of %p bytes is answered with the right port and recorded",
  async (size) => {
    const { api, problems } = runReadApi();
    const client = openGrpcClient(api.port);

    const { code, details } = await callUnary(client, EXPORT_PATH, Buffer.alloc(size));
    client.close();

    expect([code, details]).toEqual([12, RIGHT_PORTS]);
    expect(problems.list()).toMatchObject([{ reason: "otlp_on_api", detail: EXPORT_PATH }]);
  },
);

test.each(["/v1/trace", "/v1/traces/", "/api/spans/take"])(
  "POST %s is not taken for OTLP",
  async (path) => {
    const { request, problems } = runReadApi();

    const { status } = await request(path, { method: "POST" });

    expect(status).not.toBe(421);
    expect(problems.list()).toEqual([]);
  },
);

test("a GET request is never taken for an export", async () => {
  const { request } = runReadApi();

  expect((await request("/v1/traces")).status).toBe(404);
});
