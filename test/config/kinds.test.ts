import { expect, test } from "bun:test";
import { readConfig } from "../../src/config/config.ts";

test.each([
  { word: "trace", level: "DEBUG" },
  { word: "TRACE", level: "DEBUG" },
  { word: "Information", level: "INFO" },
  { word: "notice", level: "INFO" },
  { word: "warn", level: "WARNING" },
  { word: "WARN", level: "WARNING" },
  { word: "Warning", level: "WARNING" },
  { word: "err", level: "ERROR" },
  { word: "critical", level: "ERROR" },
  { word: "fatal", level: "ERROR" },
])("LOG_LEVEL=$word means $level", ({ word, level }) => {
  expect(readConfig({ LOG_LEVEL: word })).toMatchObject({
    config: { logLevel: level },
    settings: { LOG_LEVEL: level },
  });
});

test.each(["silent", "off", "5", "constructor"])("LOG_LEVEL=%s is a mistake", (word) => {
  expect(readConfig({ LOG_LEVEL: word })).toMatchObject({
    mistakes: [{ value: word, bound: "one of DEBUG, INFO, WARNING, ERROR" }],
  });
});

test.each([
  "a b",
  "[::1]",
  "http://localhost",
  "a\n",
  "x".repeat(254),
  "0.0.0.0:4318",
  "localhost:4318",
  "::1:x",
  "1:2:3:4:5:6:7:8:9",
])("%p is not a host", (text) => {
  expect(readConfig({ API_HOST: text })).toMatchObject({
    ok: false,
    mistakes: [
      { variable: "API_HOST", bound: expect.stringContaining("brackets and without a port") },
    ],
  });
});

test.each([
  "localhost",
  "edge-1.example",
  "127.0.0.1",
  "::",
  "::1",
  "fe80::1%eth0",
  "::ffff:1.2.3.4",
])("%p is a host", (text) => {
  expect(readConfig({ API_HOST: text, API_INSECURE: "true" })).toMatchObject({
    config: { api: { host: text } },
  });
});
