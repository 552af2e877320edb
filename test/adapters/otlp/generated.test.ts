import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import protobuf from "protobufjs";
import { FileDescriptorProto, type IFileDescriptorProto } from "protobufjs/ext/descriptor.js";
import { generate } from "../../../scripts/proto.ts";
import { readDefinitions } from "../../../scripts/proto/definitions.ts";
import {
  fileDescriptors,
  fileImports,
  serviceNames,
  symbolFiles,
} from "../../../src/adapters/otlp-grpc/generated/descriptors.ts";
import { grpc } from "../../../src/adapters/otlp-grpc/generated/services.js";
import { google, opentelemetry } from "../../../src/adapters/otlp/generated/otlp.js";

const REPOSITORY = resolve(import.meta.dir, "../../..");

const { root: definitions } = readDefinitions(
  join(REPOSITORY, "proto"),
  Object.keys(fileDescriptors),
);

const generated = [...generate()].map(([path, content]) => ({ path, content }));

test.each(generated)("$path equals the output of bun run proto", ({ path, content }) => {
  const committed = readFileSync(join(REPOSITORY, path), "utf8");

  expect(committed === content).toBe(true);
});

test("the generated code is reproducible and contains no path of the machine", () => {
  const again = [...generate()].map(([path, content]) => ({ path, content }));

  expect(Bun.deepEquals(again, generated)).toBe(true);
  expect(JSON.stringify(again)).not.toContain(REPOSITORY);
});

// Two programs generate the code and the declarations; only this test compares them.
test.each(messageTypes())("the generated code of %s has the fields of its declaration", (name) => {
  const type = definitions.lookupType(name);

  const message: unknown = name.split(".").reduce<unknown>(member, { opentelemetry, google, grpc });

  const { prototype } = message as { prototype: object };
  const names = [...type.fieldsArray, ...type.oneofsArray].map((field) => field.name);
  expect(names.filter((field) => !(field in prototype))).toEqual([]);
});

test("64-bit integers are read without loss", () => {
  const { Span } = opentelemetry.proto.trace.v1;
  const startTimeUnixNano = { low: -1, high: -2, unsigned: true };

  const decoded = Span.decode(Span.encode({ startTimeUnixNano }).finish());

  expect(decoded.startTimeUnixNano).toMatchObject(startTimeUnixNano);
});

test("invalid UTF-8 is read with replacement characters", () => {
  const { Status } = opentelemetry.proto.trace.v1;

  const decoded = Status.decode(Uint8Array.of(0x12, 2, 0x61, 0xff));

  expect(decoded.message).toBe("a\ufffd");
});

test("messages of the gRPC services are encoded and decoded, including maps", () => {
  const { HealthListResponse, HealthCheckResponse } = grpc.health.v1;
  const { SERVING } = HealthCheckResponse.ServingStatus;

  const bytes = HealthListResponse.encode({ statuses: { "a.b": { status: SERVING } } }).finish();

  expect(HealthListResponse.decode(bytes).statuses["a.b"]?.status).toBe(1);
});

/**
 * SHA-256 of each file's descriptor as protoc 35.1 makes it, with `-Iproto --include_imports` and
 * `--descriptor_set_out`. A change in `proto/` changes them on purpose.
 */
const SHA_256_BY_PROTOC: Readonly<Record<string, string>> = {
  "google/protobuf/any.proto": "68a42d650915f7e4cef49a0b30b38fcce8e751e2788b07be19ff8a83a6e38acb",
  "google/protobuf/duration.proto":
    "d8a40691275d6e8fc25e895e5add34951d2d0911d16c46c7692d6a6d69c31f9b",
  "google/rpc/error_details.proto":
    "7c3f02a6bf2c434fe18b49191662e384d70347dd0c01530551db0918fa6d66ef",
  "google/rpc/status.proto": "994e57eea7eabf6de45a6e821a5bea832931621068c9c2ca09bbc40e27261b45",
  "grpc/health/v1/health.proto": "c4aed8207dc83346d958bdaf7932d86c4fe14267d2ecf627042766999480408d",
  "grpc/reflection/v1/reflection.proto":
    "dff8fae0e8c1d89b00b44b2b51c6ecf97e7cf444aead9102dfb9728b549323ca",
  "grpc/reflection/v1alpha/reflection.proto":
    "ab3502f1347aeec7c1927d7a3aa93afeb312460e76625824b2a13f08fb593e56",
  "opentelemetry/proto/collector/trace/v1/trace_service.proto":
    "b5b91c8ceed44f508ab831b1af4dc0588b8720a20551dee6d2e8f99bb5a3f3a9",
  "opentelemetry/proto/common/v1/common.proto":
    "098a55ecb47a0c57fabfefc298dce8cd879d1446f9b8255729762e63ca665949",
  "opentelemetry/proto/resource/v1/resource.proto":
    "c0515d73189a05623881d632b9953b39d6f8d12285132fdfc36b37017ea6e74a",
  "opentelemetry/proto/trace/v1/trace.proto":
    "86971db3ac326aed22a95b30a89620ee4a1ff2867ee821399e17390a7659431a",
};

test.each(Object.entries(SHA_256_BY_PROTOC))(
  "the descriptor of %s equals that of protoc",
  (name, sha256) => {
    const bytes = Buffer.from(fileDescriptors[name] ?? "", "base64");

    expect(new Bun.CryptoHasher("sha256").update(bytes).digest("hex")).toBe(sha256);
  },
);

test("every file in proto/ has a descriptor and the hash of one by protoc", () => {
  const files = [...new Bun.Glob("**/*.proto").scanSync(join(REPOSITORY, "proto"))].toSorted();

  expect(Object.keys(fileDescriptors)).toEqual(files);
  expect(Object.keys(SHA_256_BY_PROTOC)).toEqual(files);
});

test("descriptors decode to complete files with their imports", () => {
  const files = Object.values(fileDescriptors).map(decodeDescriptor);

  const root = (
    protobuf as unknown as { Root: { fromDescriptor(set: object): protobuf.Root } }
  ).Root.fromDescriptor({ file: files });

  expect(
    root.lookupService("opentelemetry.proto.collector.trace.v1.TraceService").methods,
  ).toHaveProperty("Export");
  expect(files.map(({ syntax }) => syntax)).toEqual(files.map(() => "proto3"));
  expect(Object.fromEntries(files.map((file) => [file.name, file.dependency]))).toEqual(
    fileImports,
  );
});

test("every symbol is mapped to the file that defines it", () => {
  const files = [...new Set(Object.values(symbolFiles))].toSorted();

  expect(files).toEqual(Object.keys(fileDescriptors));
  expect(symbolFiles["opentelemetry.proto.trace.v1.Span.Event"]).toBe(
    "opentelemetry/proto/trace/v1/trace.proto",
  );
  expect(symbolFiles["grpc.health.v1.Health.Check"]).toBe("grpc/health/v1/health.proto");
});

test("serviceNames lists all services", () => {
  expect(serviceNames).toEqual([
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "opentelemetry.proto.collector.trace.v1.TraceService",
  ]);
});

function messageTypes(): string[] {
  return Object.keys(symbolFiles).filter(
    (name) => definitions.lookup(name) instanceof protobuf.Type,
  );
}

function member(object: unknown, name: string): unknown {
  return (object as Record<string, unknown>)[name];
}

function decodeDescriptor(base64: string): IFileDescriptorProto {
  return FileDescriptorProto.decode(Buffer.from(base64, "base64")) as IFileDescriptorProto;
}
