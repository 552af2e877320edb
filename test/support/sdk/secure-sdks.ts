import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../../../src/config/config.ts";

export type SdkProtocol = "grpc" | "http";

/** An application with an OpenTelemetry SDK, which exports 16 spans as its environment says. */
export interface Sdk {
  readonly language: "Go" | "Python" | "Node";
  /** The value of `OTEL_EXPORTER_OTLP_TIMEOUT` for two seconds, in the SDK's own unit. */
  readonly twoSeconds: string;
  command(protocol: SdkProtocol, url: string): string[];
}

export interface SdkRun {
  readonly exitCode: number;
  readonly output: string;
}

/** The number of spans that each application exports. */
export const EXPORTED_SPANS = 16;

const TOOLS = join(import.meta.dir, "..", "..", "..", ".tools", "sdk-clients");
const GO = join(TOOLS, "sdk-client");
const PYTHON = join(TOOLS, "python", "bin", "python");
const INSTALLED = join(TOOLS, "python", "installed.txt");
const PYTHON_CLIENT = join(import.meta.dir, "python", "client.py");
const NODE_CLIENT = join(import.meta.dir, "sdk-client.mjs");

const SDKS: readonly (Sdk & { readonly made: string })[] = [
  {
    language: "Go",
    made: GO,
    twoSeconds: "2000",
    command: (protocol) => [GO, protocol, String(EXPORTED_SPANS)],
  },
  {
    language: "Python",
    made: INSTALLED,
    twoSeconds: "2",
    command: (protocol) => [PYTHON, PYTHON_CLIENT, protocol, String(EXPORTED_SPANS)],
  },
  {
    language: "Node",
    made: NODE_CLIENT,
    twoSeconds: "2000",
    command: (protocol, url) =>
      protocol === "grpc"
        ? ["node", NODE_CLIENT, url, "none", "grpc"]
        : ["node", NODE_CLIENT, `${url}/v1/traces`, "none", "http/protobuf"],
  },
];

/** The SDKs on this machine. scripts/setup.sh fetches those of Go and Python, which it requires. */
export const PRESENT_SDKS: readonly Sdk[] = SDKS.filter(({ made }) => existsSync(made));

export const MISSING_SDKS = SDKS.filter(({ made }) => !existsSync(made)).map(
  ({ language }) => language,
);

/** Runs an application to its end. Its environment has no other variable than PATH. */
export async function runSdk(
  sdk: Sdk,
  { protocol, url, env }: { protocol: SdkProtocol; url: string; env: Environment },
): Promise<SdkRun> {
  const child = Bun.spawn(sdk.command(protocol, url), {
    env: { PATH: process.env["PATH"], OTEL_EXPORTER_OTLP_ENDPOINT: url, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const outputs = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { exitCode: await child.exited, output: outputs.join("") };
}
