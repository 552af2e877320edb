import { expect, test } from "bun:test";
import {
  PROBLEM_KINDS,
  PROBLEM_PROTOCOLS,
  PROBLEM_REASONS,
} from "../../src/domain/problem-reason.ts";
import { hintFor } from "../../src/domain/problem-text.ts";

const PORTS = { grpc: 4317, http: 4318, api: 4319 };

test.each(PROBLEM_REASONS)("%s can happen somewhere, and says what to do", (reason) => {
  const { protocols, fate } = PROBLEM_KINDS[reason];
  const hint = hintFor(reason, PORTS);

  expect(protocols.length).toBeGreaterThan(0);
  expect(PROBLEM_PROTOCOLS).toContainAnyValues([...protocols]);
  expect(reason).toMatch(/^[a-z]+(_[a-z0-9]+)*$/);
  expect(fate).not.toMatch(/^[a-z]*ed? was|[.;]$/);
  expect(hint).not.toMatch(/\{(grpc|http|api)\}|[.;]$/);
  expect(hint.length).toBeLessThanOrEqual(160);
});

test("plaintext at a port with TLS names the settings of exporters and of commands", () => {
  const hint = hintFor("plaintext", PORTS);

  expect(hint).toContain("OTEL_EXPORTER_OTLP_CERTIFICATE");
  expect(hint).toContain("--ca FILE");
});

test("a reader that uses the OTLP/HTTP port learns where the read API is", () => {
  expect(hintFor("wrong_method", PORTS)).toContain("the read API");
  expect(hintFor("wrong_method", PORTS)).toContain("4319");
});
