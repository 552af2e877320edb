import { expect, test } from "bun:test";
import {
  concealUrl,
  endpointOf,
  type ForwardEndpoint,
  type ForwardProtocol,
  isEndpoint,
  shownEndpoint,
} from "../../src/config/endpoint.ts";

/** Parses an endpoint; returns it with its URL as text. */
function withUrlText(endpoint: ForwardEndpoint): object {
  return endpoint.protocol === "http/protobuf"
    ? { ...endpoint, url: endpoint.url.reveal() }
    : endpoint;
}

const GRPC = { protocol: "grpc", isSecure: false };
const HTTP = { protocol: "http/protobuf", isSecure: false };

test.each<{ text: string; protocol?: ForwardProtocol; endpoint: object }>([
  { text: "grpc://up", endpoint: { ...GRPC, host: "up", port: 4317 } },
  { text: "grpc://UP:1/", endpoint: { ...GRPC, host: "up", port: 1 } },
  { text: "grpcs://up:443", endpoint: { ...GRPC, host: "up", port: 443, isSecure: true } },
  { text: "grpcs://[::1]:1", endpoint: { ...GRPC, host: "[::1]", port: 1, isSecure: true } },
  { text: "grpc://up:80", protocol: "grpc", endpoint: { ...GRPC, host: "up", port: 80 } },
  { text: "http://up:4317", protocol: "grpc", endpoint: { ...GRPC, host: "up", port: 4317 } },
  {
    text: "https://up",
    protocol: "grpc",
    endpoint: { ...GRPC, host: "up", port: 443, isSecure: true },
  },
  {
    text: "http://up:4318",
    endpoint: { ...HTTP, host: "up", port: 4318, url: "http://up:4318/v1/traces" },
  },
  {
    text: "http://up/",
    protocol: "http/protobuf",
    endpoint: { ...HTTP, host: "up", port: 80, url: "http://up/v1/traces" },
  },
  {
    text: "https://up/otlp?key=a%20b",
    endpoint: { ...HTTP, host: "up", port: 443, url: "https://up/otlp?key=a%20b", isSecure: true },
  },
  {
    text: "https://up?key=a",
    endpoint: {
      ...HTTP,
      host: "up",
      port: 443,
      url: "https://up/v1/traces?key=a",
      isSecure: true,
    },
  },
  {
    text: "file:///var/spool/a%20b.jsonl",
    endpoint: { protocol: "file", path: "/var/spool/a b.jsonl", format: "json" },
  },
  {
    text: "unix:/run/a b?c.sock",
    endpoint: { ...GRPC, host: "localhost", port: 0, socketPath: "/run/a b?c.sock" },
  },
  {
    text: "unix:///run/otlp.sock",
    protocol: "http/protobuf",
    endpoint: {
      ...HTTP,
      host: "localhost",
      port: 0,
      url: "http://localhost/v1/traces",
      socketPath: "/run/otlp.sock",
    },
  },
  { text: "file:///a.pb", endpoint: { protocol: "file", path: "/a.pb", format: "proto" } },
  { text: "file:///a.txt", endpoint: { protocol: "file", path: "/a.txt", format: undefined } },
])("$text with protocol $protocol is an endpoint", ({ text, protocol, endpoint }) => {
  expect(isEndpoint(text)).toBe(true);
  expect(withUrlText(endpointOf(text, protocol ?? ""))).toEqual(endpoint);
});

test.each([
  "up:4317",
  "localhost",
  "127.0.0.1:4317",
  "ftp://up",
  "unix://run/spans",
  "unix:spans",
  `unix:/${"x".repeat(107)}`,
  "http://",
  "grpc://",
  "grpc:///a",
  "grpc://up:99999",
  "http://up#a",
  "grpc://1.2.3.999",
  "file:///tmp/a%2Fb.jsonl",
  "file:///tmp/a%00b.jsonl",
  "file:///tmp/a%ffb.jsonl",
  "file:///tmp/a%zzb.jsonl",
  "file:spans.jsonl",
  "file://host/spans.jsonl",
  "file:/spans.jsonl",
  "/spans.jsonl",
  " ",
])("%p is not an endpoint", (text) => {
  expect(isEndpoint(text)).toBe(false);
});

test.each([
  ["http://up:4318/v1/traces", "http://up:4318/v1/traces"],
  ["https://user:secret@up/a", "https://***@up/a"],
  ["https://user:sec/ret@up/a", "https://***@up/a"],
  ["https://user:sec?ret@up/a", "https://***@up/a"],
  ["user:secret@up:4317", "***@up:4317"],
  ["grpc://secret@up", "grpc://***@up"],
  ["https://up/a?key=secret", "https://up/a?***"],
  ["https://user:secret@up/a?key=secret", "https://***@up/a?***"],
  ["grpc://up:1#secret", "grpc://up:1#***"],
  ["grpc://up:1#a?secret", "grpc://up:1#***"],
  ["file:///spool/a.jsonl#secret", "file:///spool/a.jsonl#***"],
  ["file:///spool/a@b.jsonl", "file:///spool/a@b.jsonl"],
  ["file:///spool/a.jsonl?secret", "file:///spool/a.jsonl?***"],
  ["unix:/run/a@b?c.sock", "unix:/run/a@b?c.sock"],
  ["", ""],
])("%s is shown as %s", (text, concealed) => {
  expect(concealUrl(text)).toBe(concealed);
});

test.each<{ text: string; protocol?: ForwardProtocol; shown: string }>([
  { text: "grpc://up", shown: "grpc://up:4317" },
  { text: "grpc://127.1", shown: "grpc://127.0.0.1:4317" },
  { text: "grpc://[::FFFF:127.0.0.1]:1", shown: "grpc://[::ffff:7f00:1]:1" },
  { text: "grpc://UP%2e", shown: "grpc://up.:4317" },
  { text: "grpcs://me:secret@up:1/secret?key=secret", shown: "grpcs://up:1" },
  { text: "https://up:443", protocol: "grpc", shown: "grpcs://up:443" },
  { text: "unix:///run/otlp.sock", shown: "unix:/run/otlp.sock" },
  { text: "http://up", shown: "http://up:80/v1/traces" },
  {
    text: "https://me:secret@[::1]/a%20b?key=secret",
    shown: "https://[::1]:443/a%20b",
  },
  { text: "file:///var/spool/a%20b.jsonl?key=secret", shown: "file:///var/spool/a%20b.jsonl" },
])("only $shown of $text is shown", ({ text, protocol, shown }) => {
  expect(shownEndpoint(endpointOf(text, protocol ?? ""))).toBe(shown);
});
