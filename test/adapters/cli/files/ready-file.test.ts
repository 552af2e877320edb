import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import {
  prepareReadyFile,
  readyVariables,
  writeReadyFile,
} from "../../../../src/adapters/cli/files/ready-file.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENDPOINTS = { http: "http://127.0.0.1:2", api: "http://127.0.0.1:3" };
const READY = { endpoints: ENDPOINTS, env: { SPANRING_URL: "http://127.0.0.1:3" } };

const newPath = () => join(temporaryFolder(), "ready.json");

test("the file has process, endpoints and variables, and nothing is left beside it", async () => {
  const path = newPath();

  await writeReadyFile(path, READY);

  expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ pid: process.pid, ...READY });
  expect(readdirSync(join(path, ".."))).toEqual(["ready.json"]);
});

test("without an environment of the application, the file has the usual variables", async () => {
  const path = newPath();

  await writeReadyFile(path, { endpoints: ENDPOINTS });

  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ env: readyVariables(ENDPOINTS) });
});

test("variables that are not for the exporter stay out of the file", async () => {
  const path = newPath();

  await writeReadyFile(path, { endpoints: ENDPOINTS, env: { ...READY.env, SECRET: "x" } });

  expect(JSON.parse(readFileSync(path, "utf8"))).toMatchObject({ env: READY.env });
  expect(readFileSync(path, "utf8")).not.toContain("SECRET");
});

test("the file is removed when the server stops, unless it is of another one", async () => {
  const path = newPath();
  const withdraw = await writeReadyFile(path, READY);
  const withdrawOther = await writeReadyFile(path, { ...READY, env: {} });

  withdraw();
  const [isKept] = [existsSync(path)];
  withdrawOther();
  withdrawOther();

  expect(isKept).toBe(true);
  expect(existsSync(path)).toBe(false);
});

test("the file of an earlier run is removed before the start", () => {
  const path = newPath();
  writeFileSync(path, "old");

  prepareReadyFile(path);

  expect(readdirSync(join(path, ".."))).toEqual([]);
});

test("a file that cannot be written prevents the start, with the reason", () => {
  const path = join(temporaryFolder(), "missing", "ready.json");

  expect(() => prepareReadyFile(path)).toThrow(`cannot write "${path}": no such file or folder`);
});

test.each([
  { name: "standard output", make: () => "-" },
  {
    name: "a folder",
    make: (path: string) => {
      mkdirSync(path);
      return path;
    },
  },
  {
    name: "a link",
    make: (path: string) => {
      symlinkSync("/dev/null", path);
      return path;
    },
  },
])("$name is no ready file, because it could not appear or be removed", ({ make }) => {
  const path = make(newPath());

  expect(() => prepareReadyFile(path)).toThrow(
    `--ready-file "${path}" must be a regular file or a new one`,
  );
});

test("the variables have the settings of tests, the exporter's endpoint, and the read API", () => {
  expect(readyVariables(ENDPOINTS)).toEqual({
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "none",
    OTEL_LOGS_EXPORTER: "none",
    OTEL_BSP_SCHEDULE_DELAY: "100",
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:2",
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
    SPANRING_URL: "http://127.0.0.1:3",
  });
});

test("without a read API, the variables do not name it", () => {
  expect(readyVariables({})).not.toHaveProperty("SPANRING_URL");
});
