import { existsSync } from "node:fs";
import { join } from "node:path";

/** The requests that an upstream has received; see strict-grpc/main.go. */
export interface StrictReport {
  readonly port: number;
  readonly withSpans: number;
  readonly empty: number;
  readonly spans: number;
  readonly unique: number;
}

/** A change of behaviour; absent members stay unchanged, and `code` 0 accepts all spans. */
export interface StrictOrder {
  readonly code?: number;
  readonly token?: string;
}

/** A receiver built from the libraries that real receivers use. */
export interface StrictUpstream extends AsyncDisposable {
  readonly endpoint: string;
  order(order?: StrictOrder): Promise<StrictReport>;
}

export interface StrictOptions {
  readonly port?: number;
  readonly gzip?: boolean;
}

export interface StrictKind {
  readonly name: "grpc-go" | "python-protobuf";
  readonly protocol: "grpc" | "http";
  /** Its status for unknown paths. */
  readonly notFound: number;
  start(options?: StrictOptions): Promise<StrictUpstream>;
}

const ROOT = join(import.meta.dir, "..", "..", "..");
const TOOLS = join(ROOT, ".tools", "strict-upstreams");
const GRPC_GO = join(TOOLS, "strict-grpc");
const PYTHON = join(TOOLS, "python", "bin", "python");
const INSTALLED = join(TOOLS, "python", "installed.txt");
const RECEIVER = join(import.meta.dir, "strict-http", "receiver.py");

const KINDS: readonly (StrictKind & { readonly made: string })[] = [
  {
    name: "grpc-go",
    protocol: "grpc",
    notFound: 5,
    made: GRPC_GO,
    start: ({ port = 0, gzip = true } = {}) =>
      startStrict("grpc", [GRPC_GO, String(port), gzip ? "gzip" : "identity"]),
  },
  {
    name: "python-protobuf",
    protocol: "http",
    notFound: 404,
    made: INSTALLED,
    start: ({ port = 0 } = {}) => startStrict("http", [PYTHON, RECEIVER, String(port)]),
  },
];

/**
 * The upstreams that scripts/setup.sh could build on this machine, which requires Go, and Python
 * with pip.
 */
export const STRICT_KINDS: readonly StrictKind[] = KINDS.filter(({ made }) => existsSync(made));

export const MISSING_KINDS = KINDS.filter(({ made }) => !existsSync(made)).map(({ name }) => name);

async function startStrict(protocol: string, command: string[]): Promise<StrictUpstream> {
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "pipe", stderr: "inherit", env: {} });
  const reports = reportsIn(child.stdout);
  const next = async (): Promise<StrictReport> => {
    const { value } = await reports.next();
    if (value === undefined) throw new Error("the upstream has ended");
    return value;
  };
  const { port } = await next();
  return {
    endpoint: `${protocol}://127.0.0.1:${port}`,
    order: (order = {}) => {
      child.stdin.write(`${JSON.stringify(order)}\n`);
      void child.stdin.flush();
      return next();
    },
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

async function* reportsIn(
  stream: ReadableStream<Uint8Array>,
): AsyncGenerator<StrictReport, undefined> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) yield JSON.parse(line) as StrictReport;
  }
}
