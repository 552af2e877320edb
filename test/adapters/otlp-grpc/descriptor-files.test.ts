import { describe, expect, test } from "bun:test";
import { fileOfSymbol, filesFor } from "../../../src/adapters/otlp-grpc/descriptor-files.ts";

const TRACE_SERVICE_FILE = "opentelemetry/proto/collector/trace/v1/trace_service.proto";

/** A FileDescriptorProto begins with its name: tag 0x0a, its length, its text. */
function nameOf(file: Uint8Array): string {
  return Buffer.from(file.subarray(2, 2 + (file[1] ?? 0))).toString();
}

describe("files", () => {
  test("a file comes first, then each file it needs, once", () => {
    const names = filesFor(TRACE_SERVICE_FILE)?.map(nameOf);

    expect(names).toEqual([
      TRACE_SERVICE_FILE,
      "opentelemetry/proto/trace/v1/trace.proto",
      "opentelemetry/proto/common/v1/common.proto",
      "opentelemetry/proto/resource/v1/resource.proto",
    ]);
  });

  test.each(["no/such.proto", "", "__proto__", "constructor"])("there is no file %p", (name) => {
    expect(filesFor(name)).toBeUndefined();
  });
});

describe("symbols", () => {
  test.each([
    { symbol: "opentelemetry.proto.collector.trace.v1.TraceService", file: TRACE_SERVICE_FILE },
    {
      symbol: "opentelemetry.proto.collector.trace.v1.TraceService.Export",
      file: TRACE_SERVICE_FILE,
    },
    { symbol: "grpc.health.v1.HealthCheckRequest", file: "grpc/health/v1/health.proto" },
  ])("$symbol is in $file", ({ symbol, file }) => {
    expect(fileOfSymbol(symbol)).toBe(file);
  });

  test.each(["no.such.Symbol", "", "__proto__", "toString"])("nothing is called %p", (symbol) => {
    expect(fileOfSymbol(symbol)).toBeUndefined();
  });
});
