import { stat } from "node:fs/promises";
import { SYSTEM_CLOCK } from "../adapters/clock/system-clock.ts";
import {
  type FileContents,
  type FileMistakes,
  loadFiles,
  ReloadedFiles,
} from "../adapters/listening/reloaded-files.ts";
import { TokenGate } from "../adapters/listening/token-gate.ts";
import { parseTokens, type TokenList } from "../adapters/listening/token-list.ts";
import type { Config, ConfigWarning, ListenAddress } from "../config/config.ts";
import { isLoopbackListener } from "../domain/text/host-address.ts";
import { quotePeerText } from "../domain/text/quote-text.ts";
import type { TimerClock } from "../ports/clock.ts";
import type { Logger, ProblemLog } from "../ports/logger.ts";

/** The gates of the listeners; undefined if a listener requires no token. */
export interface TokenGates {
  readonly otlp: TokenGate | undefined;
  readonly api: TokenGate | undefined;
  /** Reads the files again. Resolves to whether their contents are in use. */
  reload(): Promise<boolean>;
  /** Answers pending refusals, and ends the watch of the files. */
  close(): void;
}

interface GateParts {
  readonly config: Config;
  readonly problems: ProblemLog;
  readonly logger: Logger;
  readonly clock?: TimerClock;
}

/** Reads the files of tokens, and watches them. */
export async function openTokenGates(parts: GateParts): Promise<TokenGates | FileMistakes> {
  const files = tokenFilesOf(parts.config);
  const opened = await Promise.all(files.map((file) => openGate(file, parts)));
  const mistakes = opened.flatMap((each) => ("mistakes" in each ? each.mistakes : []));
  const gates = opened.flatMap((each) => ("mistakes" in each ? [] : [each]));
  if (mistakes.length > 0) {
    for (const { close } of gates) close();
    return { mistakes };
  }
  const gateOf = (wanted: TokenVariable) => gates.find(({ variable }) => variable === wanted)?.gate;
  return {
    otlp: gateOf("OTLP_AUTH_TOKENS_FILE"),
    api: gateOf("API_AUTH_TOKENS_FILE"),
    reload: async () => (await Promise.all(gates.map((each) => each.reload()))).every(Boolean),
    close: () => gates.forEach(({ close }) => close()),
  };
}

type TokenVariable = "OTLP_AUTH_TOKENS_FILE" | "API_AUTH_TOKENS_FILE";

interface TokenFile {
  readonly variable: TokenVariable;
  readonly path: string;
}

function tokenFilesOf({ tokens }: Config): TokenFile[] {
  const files: TokenFile[] = [
    { variable: "OTLP_AUTH_TOKENS_FILE", path: tokens.otlpFile },
    { variable: "API_AUTH_TOKENS_FILE", path: tokens.apiFile },
  ];
  return files.filter(({ path }) => path !== "");
}

async function openGate(file: TokenFile, parts: GateParts) {
  const { problems, logger, clock = SYSTEM_CLOCK } = parts;
  const { variable } = file;
  const paths = new Map([[variable, file.path]]);
  const contents = await loadFiles(paths);
  const tokens = tokensIn(file, contents);
  if ("mistakes" in tokens) return tokens;
  const gate = new TokenGate({ tokens, problems, clock });
  const parse = (read: FileContents<TokenVariable>) => tokensIn(file, read);
  const use = (changed: TokenList) => {
    gate.use(changed);
    logger.info("tokens_reloaded", { variable, tokens: changed.hashes.length });
  };
  const files = new ReloadedFiles({ paths, parse, use, logger }, contents);
  const endWatch = files.watch(clock);
  const close = () => {
    endWatch();
    files.close();
    gate.close();
  };
  return { variable, gate, reload: () => files.reload(), close };
}

function tokensIn(
  { variable, path }: TokenFile,
  contents: FileContents<TokenVariable>,
): TokenList | FileMistakes {
  const content = contents.get(variable)!;
  const read = Buffer.isBuffer(content)
    ? parseTokens(content)
    : { bound: `a readable file: ${content.reason}` };
  if (!("bound" in read)) return read;
  return { mistakes: [{ variable, value: quotePeerText(path), bound: read.bound }] };
}

/** Returns the mistakes in the files of tokens, and warnings about who can read them. */
export async function checkTokens(config: Config): Promise<{
  readonly mistakes: FileMistakes["mistakes"];
  readonly warnings: readonly ConfigWarning[];
}> {
  const checks = tokenFilesOf(config).map(async (file) => {
    const tokens = tokensIn(file, await loadFiles(new Map([[file.variable, file.path]])));
    if ("mistakes" in tokens) return { mistakes: tokens.mistakes, warnings: [] };
    return { mistakes: [], warnings: await readerWarnings(file, tokens) };
  });
  const checked = await Promise.all(checks);
  return {
    mistakes: checked.flatMap(({ mistakes }) => mistakes),
    warnings: checked.flatMap(({ warnings }) => warnings),
  };
}

const GROUP_AND_OTHERS_MAY_READ = 0o044;

async function readerWarnings(
  { variable, path }: TokenFile,
  { hasPlainToken }: TokenList,
): Promise<ConfigWarning[]> {
  const mode = (await stat(path).catch(() => undefined))?.mode ?? 0;
  if (!hasPlainToken || (mode & GROUP_AND_OTHERS_MAY_READ) === 0) return [];
  const remedy = "let only its owner read it, or store the sha256: lines of spanring token instead";
  return [{ variable, message: `other users can read the tokens in ${path}: ${remedy}` }];
}

/** Warns once if strangers can send spans, which the default allows. */
export function exposureWarnings(config: Config): ConfigWarning[] {
  const listeners = [
    { variable: "OTLP_GRPC_HOST", address: config.grpc },
    { variable: "OTLP_HTTP_HOST", address: config.http },
  ].filter(({ address }) => config.tokens.otlpFile === "" && isExposed(address));
  const [first] = listeners;
  if (first === undefined) return [];
  const names = listeners.map(({ variable }) => variable).join(" and ");
  const message =
    "everyone who can reach this port may send spans: set OTLP_AUTH_TOKENS_FILE, or set " +
    `${names} to 127.0.0.1`;
  return [{ variable: first.variable, message }];
}

/** Reports whether other machines can connect, without a certificate that they must have. */
function isExposed(address: ListenAddress | "off"): boolean {
  if (address === "off" || isLoopbackListener(address.host)) return false;
  return (address.tls?.clientCaFile ?? "") === "";
}
