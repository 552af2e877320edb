import { expect, test } from "bun:test";
import { type Environment, readConfig } from "../../src/config/config.ts";

const HTTP = "http://up.example/";
const HTTPS = "https://up.example/";
const GRPC = "grpcs://up.example";

function mistakesOf(env: Environment): object[] {
  const reading = readConfig(env, () => []);
  return reading.ok ? [] : [...reading.mistakes];
}

const OF_HTTP = "an http: or https: proxy (not SOCKS), or the upstream's host must be in NO_PROXY";
const OF_GRPC = "an http: proxy (not SOCKS) for gRPC, or the upstream's host must be in no_proxy";

test.each([
  { endpoint: HTTP, variable: "HTTP_PROXY", bound: OF_HTTP },
  { endpoint: HTTP, variable: "http_proxy", bound: OF_HTTP },
  { endpoint: HTTP, variable: "ALL_PROXY", bound: OF_HTTP },
  { endpoint: HTTPS, variable: "HTTPS_PROXY", bound: OF_HTTP },
  { endpoint: HTTPS, variable: "all_proxy", bound: OF_HTTP },
  { endpoint: GRPC, variable: "grpc_proxy", bound: OF_GRPC },
  { endpoint: GRPC, variable: "https_proxy", bound: OF_GRPC },
  { endpoint: GRPC, variable: "http_proxy", bound: OF_GRPC },
])("$endpoint cannot use a SOCKS proxy in $variable", ({ endpoint, variable, bound }) => {
  const env = { FORWARD_ENDPOINT: endpoint, [variable]: "socks5://me:hunter2@proxy:1080" };

  expect(mistakesOf(env)).toEqual([{ variable, value: "socks5://***@proxy:1080", bound }]);
});

test("gRPC cannot use a proxy with TLS", () => {
  const env = { FORWARD_ENDPOINT: GRPC, grpc_proxy: "https://proxy" };

  expect(mistakesOf(env)).toMatchObject([{ variable: "grpc_proxy", bound: OF_GRPC }]);
});

const SOCKS = "socks5://proxy:1080";

test.each<{ name: string; env: Environment }>([
  { name: "without forwarding", env: { HTTP_PROXY: SOCKS } },
  {
    name: "if the sink is a file",
    env: { FORWARD_ENDPOINT: "file:///spans.jsonl", ALL_PROXY: SOCKS },
  },
  {
    name: "if the endpoint is on this machine",
    env: { FORWARD_ENDPOINT: "http://localhost:1/", ALL_PROXY: SOCKS },
  },
  { name: "if it is for another scheme", env: { FORWARD_ENDPOINT: HTTPS, HTTP_PROXY: SOCKS } },
  {
    name: "in a variable that gRPC does not read",
    env: { FORWARD_ENDPOINT: GRPC, ALL_PROXY: SOCKS },
  },
  {
    name: "if another variable precedes it",
    env: { FORWARD_ENDPOINT: HTTP, HTTP_PROXY: "proxy:3128", ALL_PROXY: SOCKS },
  },
  {
    name: "if another variable precedes it for gRPC",
    env: { FORWARD_ENDPOINT: GRPC, grpc_proxy: "http://proxy", http_proxy: SOCKS },
  },
  ...["up.example", ".example", "*.example", "example", "UP.EXAMPLE", "*", "a, up.example:80"].map(
    (list) => ({
      name: `with NO_PROXY=${list}`,
      env: { FORWARD_ENDPOINT: HTTP, HTTP_PROXY: SOCKS, NO_PROXY: list },
    }),
  ),
  {
    name: "with an address in no_proxy",
    env: { FORWARD_ENDPOINT: "http://[2001:db8::1]/", HTTP_PROXY: SOCKS, no_proxy: "2001:db8::1" },
  },
])("a SOCKS proxy is not a mistake $name", ({ env }) => {
  expect(mistakesOf(env)).toEqual([]);
});

test.each(["other.example", "p.example", ","])(
  "NO_PROXY=%s does not exclude the endpoint",
  (list) => {
    const env = { FORWARD_ENDPOINT: HTTP, HTTP_PROXY: SOCKS, NO_PROXY: list };

    expect(mistakesOf(env)).toHaveLength(1);
  },
);
