import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, test } from "bun:test";
import type { StartReceiver } from "../../../../src/adapters/cli/command/command-run.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import type { Config, Environment } from "../../../../src/config/config.ts";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { problemTotals } from "../../../support/fakes/problem-totals.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import { requestOf } from "../../../support/requests/request-bytes.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import { searchedRing } from "../../../support/running/searched-ring.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

const ENV = { PATH: process.env["PATH"], NO_COLOR: "1" };
const SHELL = ["--settle", "1ms", "--", "sh", "-c"];
const PORTS = { grpc: 1, http: 2, api: 3 };
const cannotStart = () => Promise.reject(new Error("no port is free"));

interface RunSurroundings {
  /** The capacity of the ring. */
  readonly spans?: number;
  readonly problems?: Parameters<typeof problemTotals>[0];
  readonly env?: Environment;
  readonly stopped?: () => Promise<unknown>;
}

/** Runs a shell script with a receiver that has received this request. */
async function run(
  argv: readonly string[],
  received?: Uint8Array,
  { spans = 100, problems: counts = {}, env = {}, stopped }: RunSurroundings = {},
) {
  const { buffer, arrivals, arrive } = searchedRing({ spans, bytes: 1 << 16 });
  const logged = new LoggedBuffer(buffer, new RecordingLogger());
  const configs: Config[] = [];
  let stops = 0;
  const [problems, exporters] = [() => problemTotals(counts), () => exporterCounts()];
  const stop = async () => void (stops += 1);
  const startReceiver: StartReceiver = async (config) => {
    configs.push(config);
    if (received !== undefined) arrive(received);
    return { ports: PORTS, buffer: logged, arrivals, problems, exporters, stop };
  };
  const end = await runCommands(["run", ...argv], {
    env: { ...ENV, ...env },
    startReceiver,
    ...(stopped === undefined ? {} : { stopped }),
  });
  return { ...end, configs, stops: () => stops };
}

describe("the exit code of run", () => {
  test.each([
    { name: "0 when all is well", argv: [...SHELL, "exit 0"], exitCode: 0 },
    { name: "the command's own", argv: [...SHELL, "exit 9"], exitCode: 9 },
    {
      name: "the command's own, even if an expectation is not met",
      argv: ["--expect", "name=no", ...SHELL, "exit 9"],
      exitCode: 9,
    },
    {
      name: "1 when an expectation is not met",
      argv: ["--expect", "name=no", ...SHELL, "exit 0"],
      exitCode: 1,
    },
    {
      name: "0 when a span that must be absent is absent",
      argv: ["--expect", "name=no & count=0", ...SHELL, "exit 0"],
      exitCode: 0,
    },
  ])("is $name", async ({ argv, exitCode }) => {
    const end = await run(argv, requestOf(3));

    expect(end.exitCode).toBe(exitCode);
    expect(end.stops()).toBe(1);
  });
});

describe("mistakes are reported before anything is started", () => {
  test.each([
    {
      argv: ["--expect", "nmae=x", "--expect", "count>=no", "--settle", "soon", "--", "true"],
      says: ['unknown condition "nmae"', '"count>=no"', '--settle "soon"'],
    },
    { argv: ["--settle", "11m", "--", "true"], says: ['--settle "11m" must be a time up to 10m'] },
    { argv: ["--protocol", "smoke", "--", "true"], says: ["--protocol must be one of"] },
    { argv: [], says: ["COMMAND"] },
  ])("in %p", async ({ argv, says }) => {
    const end = await run(argv);

    expect(end).toMatchObject({ exitCode: 2, configs: [] });
    for (const part of says) expect(end.stderr).toContain(part);
  });

  test("in the environment", async () => {
    const env = { ...ENV, MAX_BUFFER_SIZE: "none" };

    const end = await runCommands(["run", "--", "true"], { env });

    expect(end.exitCode).toBe(2);
    expect(end.stderr).toContain('MAX_BUFFER_SIZE="none"');
  });
});

test("run ignores the storage of spans, which belongs to another spanring", async () => {
  const env = { DATA_DIR: "/spool/data", DURABILITY: "stop" };

  const { configs } = await run([...SHELL, "exit 0"], undefined, { env });

  expect(configs).toMatchObject([{ log: "off" }]);
});

test("the receiver listens on free loopback ports and logs only errors", async () => {
  const { configs } = await run([...SHELL, "exit 0"]);

  const [config] = configs;
  expect(config).toMatchObject({
    grpc: { host: "127.0.0.1", port: 0 },
    http: { host: "127.0.0.1", port: 0 },
    api: { host: "127.0.0.1", port: 0 },
    logLevel: "ERROR",
  });
});

/** Returns the protocol and the endpoint that the command gets in this environment. */
async function protocolIn(env: Environment, ...options: string[]): Promise<string> {
  const file = join(temporaryFolder(), "protocol");
  const script = `printf %s "$OTEL_EXPORTER_OTLP_PROTOCOL $OTEL_EXPORTER_OTLP_ENDPOINT" > ${file}`;
  await run([...options, "--", "sh", "-c", script], undefined, { env });
  return readFileSync(file, "utf8");
}

describe("the export protocol of the command is", () => {
  const [HTTP, GRPC] = ["http://127.0.0.1:2", "http://127.0.0.1:1"];

  test.each([
    { name: "http/protobuf", env: {}, expected: `http/protobuf ${HTTP}` },
    {
      name: "that of OTEL_EXPORTER_OTLP_PROTOCOL",
      env: { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      expected: `grpc ${GRPC}`,
    },
    {
      name: "that of OTEL_EXPORTER_OTLP_TRACES_PROTOCOL if both are set",
      env: { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "http/json", OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" },
      expected: `http/json ${HTTP}`,
    },
    {
      name: "http/protobuf if the variables are unknown or empty",
      env: { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: "", OTEL_EXPORTER_OTLP_PROTOCOL: "smoke" },
      expected: `http/protobuf ${HTTP}`,
    },
  ])("$name", async ({ env, expected }) => {
    expect(await protocolIn(env)).toBe(expected);
  });

  test("that of --protocol even if a variable is set", async () => {
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: "grpc" };

    expect(await protocolIn(env, "--protocol", "http/json")).toBe(`http/json ${HTTP}`);
  });
});

test("a receiver that cannot start is reported, and the command is not run", async () => {
  const end = await runCommands(["run", "--", "true"], {
    env: ENV,
    startReceiver: cannotStart,
  });

  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain("cannot start a receiver: Error: no port is free");
});

test("evicted spans are reported, because they may have met an expectation", async () => {
  const problems = { evicted: 1 };

  const { stderr } = await run([...SHELL, "exit 0"], requestOf(3), { spans: 2, problems });

  expect(stderr).toContain(
    "spans may be missing: 1 span was evicted from the full buffer; raise MAX_BUFFER_SIZE",
  );
});

test("if no span arrived, the requests that arrived instead are reported", async () => {
  const problems = { not_otlp_json: 3, unsupported_metrics: 1 };

  const { stderr } = await run([...SHELL, "exit 0"], undefined, { problems });

  expect(stderr).toContain("spanring: no span arrived, but 3 requests were JSON, but not OTLP");
  expect(stderr).toContain("spanring: no span arrived, but 1 request was for metrics");
});

test("absence is not proven if spans were lost, and the JUnit file gives the reason", async () => {
  const file = join(temporaryFolder(), "spans.xml");
  const options = ["--expect", "name=no & count=0", "--junit", file];

  const full = { spans: 2, problems: { evicted: 1, buffer_full: 3 } };
  const { exitCode, stderr } = await run([...options, ...SHELL, "exit 0"], requestOf(3), full);

  expect(exitCode).toBe(1);
  expect(stderr).not.toContain("SERVICE");
  for (const text of [stderr, readFileSync(file, "utf8")]) {
    expect(text).toContain("seen: 0 spans; spans that were lost may match too");
    expect(text).toContain("1 span was evicted from the full buffer; raise MAX_BUFFER_SIZE");
    expect(text).toContain("3 requests were refused because the buffer was full; raise");
  }
});

test("the received names are listed if nothing matches, in the JUnit file too", async () => {
  const file = join(temporaryFolder(), "spans.xml");
  const options = ["--expect", "name=no", "--junit", file];

  const { stderr } = await run([...options, ...SHELL, "exit 0"], requestOf(2));

  expect(stderr).toContain("  SPANS  SERVICE  NAME\n         1  shop     span 1\n");
  expect(readFileSync(file, "utf8")).toContain("       1  shop     span 1&#10;");
});

test("a missing command is reported without a wait for its spans", async () => {
  const argv = ["--settle", "10m", "--expect", "name=no", "--", "spanring-no-such-command"];

  // A wait of ten minutes would exceed the time limit of the test.
  const { exitCode, stderr } = await run(argv);

  expect(exitCode).toBe(127);
  expect(stderr).toContain("spanring-no-such-command: command not found");
});

test("Ctrl-C after the command ends the wait, and the outcome is still reported", async () => {
  const file = join(temporaryFolder(), "spans.xml");
  const options = ["--expect", "name=no", "--settle", "10m", "--junit", file];

  const end = await run([...options, "--", "sh", "-c", "exit 0"], requestOf(1), {
    stopped: () => Promise.resolve(),
  });

  expect(end.exitCode).toBe(1);
  expect(end.stderr).toContain("expected name=no");
  expect(readFileSync(file, "utf8")).toContain('failures="1"');
});

const isUnfinishedOf = (path: string) => (name: string) => name.startsWith(`.${basename(path)}.`);

describe("the JUnit file", () => {
  test("contains the command and every expectation", async () => {
    const file = join(temporaryFolder(), "spans.xml");
    const expectations = ["--expect", "name=span 1", "--expect", "name=no"];

    await run([...expectations, "--junit", file, ...SHELL, "exit 4"], requestOf(1));

    const text = readFileSync(file, "utf8");
    expect(text).toContain('tests="3" failures="2"');
    expect(text).toContain('message="ended with 4"');
    expect(text).toContain('name="name=span 1"');
    expect(text).toContain("seen: 0 spans");
  });

  test("does not exist in part during the wait, which a second signal may end", async () => {
    const folder = temporaryFolder();
    const options = ["--expect", "name=no", "--settle", "10m", "--junit", join(folder, "x.xml")];
    const found: string[][] = [];

    await run([...options, "--", "sh", "-c", "exit 0"], requestOf(1), {
      stopped: async () => void found.push(readdirSync(folder)),
    });

    expect(found).toEqual([[]]);
    expect(readdirSync(folder)).toEqual(["x.xml"]);
  });

  test("is reported before the command runs if it cannot be written", async () => {
    const end = await run(["--junit", "/no/such/folder/spans.xml", "--", "true"]);

    expect(end).toMatchObject({ exitCode: 1, configs: [] });
  });

  test.each([
    { script: "exit 3", exitCode: 3 },
    { script: "exit 0", exitCode: 1 },
  ])("that cannot be renamed is reported with $exitCode after $script", async (each) => {
    const folder = temporaryFolder();

    const end = await run(["--junit", folder, ...SHELL, each.script]);

    expect(end.exitCode).toBe(each.exitCode);
    expect(end.stderr).toContain(`cannot write "${folder}"`);
    expect(readdirSync(join(folder, "..")).filter(isUnfinishedOf(folder))).toEqual([]);
  });

  test("is not created if the command was not run", async () => {
    const file = join(temporaryFolder(), "spans.xml");
    await runCommands(["run", "--junit", file, "--", "true"], {
      env: ENV,
      startReceiver: cannotStart,
    });

    expect(existsSync(file)).toBe(false);
  });
});
