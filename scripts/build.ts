/**
 * Builds the executable: `bun run build [--target=bun-linux-arm64] [--outfile=PATH]`.
 *
 * Builds of the same sources are identical, wherever the checkout is.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { constants, zstdCompressSync } from "node:zlib";

const ROOT = resolve(import.meta.dir, "..");

export interface BinaryBuild {
  /** The entry point of the program. */
  readonly entrypoint: string;
  readonly outfile: string;
  /** A target of Bun, such as `bun-darwin-arm64`; by default, this machine. */
  readonly target?: string | undefined;
  /** The runtime to embed; by default that of this machine, or a download of the bundler. */
  readonly executablePath?: string;
}

/**
 * Builds the executable; resolves to its path, which ends in `.exe` for Windows. The file is
 * replaced in one step, so that no process runs half of it, and a running program keeps its own
 * file.
 */
export async function buildBinary(build: BinaryBuild): Promise<string> {
  const folder = dirname(resolve(build.outfile));
  await mkdir(folder, { recursive: true });
  const workshop = await mkdtemp(join(folder, ".build-"));
  try {
    const built = await compile({ ...build, outfile: join(workshop, basename(build.outfile)) });
    const finished = join(folder, basename(built));
    await rename(built, finished);
    return finished;
  } finally {
    await rm(workshop, { recursive: true });
  }
}

async function compile(build: BinaryBuild): Promise<string> {
  const { entrypoint, outfile, target, executablePath } = build;
  const { outputs } = await Bun.build({
    entrypoints: [entrypoint],
    plugins: [...(await embeddedPage()), ...(await embeddedKafka())],
    minify: true,
    bytecode: true,
    // Bytecode defaults to CommonJS, which has no `await` outside functions.
    format: "esm",
    // The source map is also embedded in the executable; the separate file is discarded.
    sourcemap: "linked",
    // Some libraries embed the path of their own folder. It does not exist where the program runs,
    // and would make the executables of different checkouts differ.
    define: { __dirname: '"/"', __filename: '"/"' },
    compile: {
      outfile,
      ...(target === undefined ? {} : { target: target as Bun.Build.CompileTarget }),
      ...(executablePath === undefined ? {} : { executablePath }),
      // The working directory must not affect the program.
      autoloadDotenv: false,
      autoloadBunfig: false,
    },
  });
  const executable = outputs.find((output) => output.kind === "entry-point");
  if (executable === undefined) throw new Error("the build made no executable");
  return executable.path;
}

/**
 * Returns the plugin that replaces the module that imports the client of Kafka by one that holds it
 * compressed. Bytecode and a source map would take 3 MB in every executable, and most never use it.
 * A program without that module, as in the tests of the scripts, needs none.
 */
async function embeddedKafka(): Promise<Bun.BunPlugin[]> {
  if (!existsSync(KAFKA_CLIENT)) return [];
  const source = zstdCompressSync(await bundleKafkaClient(), STRONGEST);
  const contents = `
    import { zstdDecompressSync } from "node:zlib";
    const source = zstdDecompressSync(Buffer.from("${source.toString("base64")}", "base64"));
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    export const { compressionsAlgorithms, Consumer, murmur2, Producer } = await import(url);
    export const { joinSmallChunks, setCRC32C } = await import(url);`;
  const filter = /[/\\]forward[/\\]kafka-client\.js$/;
  const setup = (build: Bun.PluginBuilder): void => {
    build.onLoad({ filter }, () => ({ contents, loader: "js" }));
  };
  return [{ name: "embedded Kafka client", setup }];
}

const KAFKA_CLIENT = join(ROOT, "src/adapters/forward/kafka-client.js");

/** Bundles what the program uses of the client of Kafka; resolves to its source. */
export async function bundleKafkaClient(): Promise<ArrayBuffer> {
  const plugins = [EMBEDDED_WASM, WITHOUT_SCHEMAS];
  const { outputs } = await Bun.build({
    entrypoints: [KAFKA_CLIENT],
    target: "bun",
    minify: true,
    plugins,
  });
  return await outputs[0]!.arrayBuffer();
}

const STRONGEST = { params: { [constants.ZSTD_c_compressionLevel]: 19 } };

/**
 * Replaces a module of the client that reads a `.wasm` file at run time by its variant that holds
 * the file, because the executable has no folder to read from.
 */
export const EMBEDDED_WASM: Bun.BunPlugin = {
  name: "embedded WebAssembly",
  setup: (build) => {
    build.onResolve({ filter: /^@platformatic\/wasm-utils$/ }, ({ path, importer }) => {
      return { path: Bun.resolveSync(`${path}/bundled`, dirname(importer)) };
    });
  },
};

/**
 * Leaves out what the client does with schemas: of its options, which it checks only if the option
 * `strict` is set, and of messages, which no registry describes here. To compile the former takes
 * most of the time of loading it.
 */
const WITHOUT_SCHEMAS: Bun.BunPlugin = {
  name: "no schemas",
  setup: (build) => {
    const replace = (filter: RegExp, contents: string) =>
      build.onLoad({ filter }, () => ({ contents, loader: "js" }));
    replace(/[/\\]ajv[/\\]dist[/\\]2020\.js$/, UNCHECKED);
    replace(/[/\\]kafka[/\\]dist[/\\]registries[/\\]index\.js$/, "export {};");
  },
};

const UNCHECKED = "export class Ajv2020 { addKeyword() {} compile() { return () => true; } }";

/**
 * Returns the plugin that replaces the module that bundles the page by one that holds its finished
 * files. A program without that module, as in the tests of the scripts, needs none.
 */
async function embeddedPage(): Promise<Bun.BunPlugin[]> {
  const bundler = join(ROOT, "src/adapters/read-api/page/bundle-page.ts");
  if (!existsSync(bundler)) return [];
  // Here, because a build within the step of another one never ends.
  const { bundlePage } = (await import(bundler)) as {
    bundlePage: () => Promise<unknown>;
  };
  const files = JSON.stringify(await bundlePage());
  const contents = `const files = ${files}; export const pageFiles = async () => files;`;
  const filter = /[/\\]read-api[/\\]page[/\\]page-files\.ts$/;
  const setup = (build: Bun.PluginBuilder): void => {
    build.onLoad({ filter }, () => ({ contents, loader: "js" }));
  };
  return [{ name: "embedded page", setup }];
}

/** Returns `dist/spanring`, or for other machines `dist/spanring-linux-arm64` and so on. */
export function defaultOutfile(target: string | undefined): string {
  const suffix = target === undefined ? "" : target.replace(/^bun/, "");
  return join(ROOT, "dist", `spanring${suffix}`);
}

async function buildFromCommandLine(): Promise<void> {
  const { values } = parseArgs({
    options: { target: { type: "string" }, outfile: { type: "string" } },
  });
  const outfile = values.outfile ?? defaultOutfile(values.target);
  const entrypoint = join(ROOT, "src", "main.ts");
  const finished = await buildBinary({ entrypoint, outfile, target: values.target });
  const sizeMib = Bun.file(finished).size / 1024 / 1024;
  await Bun.write(Bun.stdout, `${relative(".", finished)}  ${sizeMib.toFixed(1)} MiB\n`);
}

if (import.meta.main) await buildFromCommandLine();
