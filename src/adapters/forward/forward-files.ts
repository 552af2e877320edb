import { Buffer } from "node:buffer";
import type { ForwardConfig, Mistake } from "../../config/config.ts";
import { type ExportHeader, parseExportHeaders } from "../../domain/text/export-headers.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import {
  type FileContents,
  type FileMistakes,
  type FilePaths,
  loadFiles,
} from "../listening/reloaded-files.ts";
import { areAuthorities, isUsable } from "../listening/pem.ts";

/** Lists the variables that name files, in the order in which mistakes are reported. */
const FORWARD_FILES = [
  "FORWARD_HEADERS_FILE",
  "FORWARD_TLS_CA_FILE",
  "FORWARD_TLS_CERT_FILE",
  "FORWARD_TLS_KEY_FILE",
  "FORWARD_SASL_USERNAME_FILE",
  "FORWARD_SASL_PASSWORD_FILE",
  "FORWARD_SASL_TOKEN_FILE",
] as const;

/** The variable that names a file. */
export type ForwardFile = (typeof FORWARD_FILES)[number];

interface FileMistake extends Mistake {
  readonly variable: ForwardFile;
}

/** Holds the contents of the files that the configuration names. */
export interface ForwardFiles {
  /** The headers of `FORWARD_HEADERS` first, then those of the file. */
  readonly headers: readonly ExportHeader[];
  readonly tls: TlsMaterial;
  /** Undefined without authentication to Kafka. */
  readonly sasl?: SaslCredentials;
}

/** The credentials of a Kafka client. */
export type SaslCredentials =
  | {
      readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
      readonly username: string;
      readonly password: string;
    }
  | { readonly mechanism: "OAUTHBEARER"; readonly token: string };

/** Returns the credential that must not be shown, as a header; none without authentication. */
export function saslSecrets({ sasl }: ForwardFiles): readonly ExportHeader[] {
  if (sasl === undefined) return [];
  return [["sasl", sasl.mechanism === "OAUTHBEARER" ? sasl.token : sasl.password]];
}

/** Returns what the files of the configuration hold, or every mistake in them. */
export async function readForwardFiles(
  forward: ForwardConfig,
): Promise<ForwardFiles | FileMistakes> {
  return parseForwardFiles(forward, await loadFiles(forwardPaths(forward)));
}

/** Returns the path of each configured file. */
export function forwardPaths(forward: ForwardConfig): FilePaths<ForwardFile> {
  const paths = FORWARD_FILES.map((variable) => [variable, pathOf(forward, variable)] as const);
  return new Map(paths.filter(([, path]) => path !== ""));
}

/** Parses the contents, or returns every mistake in them. No mistake shows a value or a key. */
export function parseForwardFiles(
  forward: ForwardConfig,
  contents: FileContents<ForwardFile>,
): ForwardFiles | FileMistakes {
  const mistakes: FileMistake[] = [];
  const read = (variable: ForwardFile) => bytesOf(contents, { variable, forward, mistakes });
  const [headers, ca] = [read("FORWARD_HEADERS_FILE"), read("FORWARD_TLS_CA_FILE")];
  const [cert, key] = [read("FORWARD_TLS_CERT_FILE"), read("FORWARD_TLS_KEY_FILE")];
  const more = parseExportHeaders(headers?.toString() ?? "");
  if (more === undefined) mistakes.push(mistake(forward, "FORWARD_HEADERS_FILE", NO_HEADERS));
  const pems = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  mistakes.push(...pemMistakes(pems, forward));
  const line = (variable: SaslFile) => lineOf(read(variable), { variable, forward, mistakes });
  const sasl = saslOf(forward.sasl.mechanism, line);
  if (mistakes.length > 0) return { mistakes: mistakes.toSorted(byVariable) };
  const own = forward.headers.map(([name, value]) => [name, value.reveal()] as const);
  return {
    headers: [...own, ...(more ?? [])],
    tls: { ...pems, rejectUnauthorized: !forward.tls.isInsecure },
    ...(sasl && { sasl }),
  };
}

type SaslFile = Extract<ForwardFile, `FORWARD_SASL_${string}`>;

function saslOf(
  mechanism: ForwardConfig["sasl"]["mechanism"],
  line: (variable: SaslFile) => string,
): SaslCredentials | undefined {
  if (mechanism === "") return undefined;
  if (mechanism === "OAUTHBEARER") return { mechanism, token: line("FORWARD_SASL_TOKEN_FILE") };
  const [username, password] = [
    line("FORWARD_SASL_USERNAME_FILE"),
    line("FORWARD_SASL_PASSWORD_FILE"),
  ];
  return { mechanism, username, password };
}

/** Returns the only line of a file, without its end; empty for a file with a mistake. */
function lineOf(content: Buffer | undefined, { variable, forward, mistakes }: WantedFile): string {
  const text = content?.toString().replace(/\r?\n$/, "");
  if (text !== undefined && text !== "" && !/\p{Cc}/u.test(text)) return text;
  if (text !== undefined) mistakes.push(mistake(forward, variable, "a file with one line"));
  return "";
}

function byVariable(one: FileMistake, other: FileMistake): number {
  return FORWARD_FILES.indexOf(one.variable) - FORWARD_FILES.indexOf(other.variable);
}

const NO_HEADERS = "a file with one name=value per line, values percent-encoded";

function pathOf({ headersFile, tls, sasl }: ForwardConfig, variable: ForwardFile): string {
  switch (variable) {
    case "FORWARD_HEADERS_FILE":
      return headersFile;
    case "FORWARD_TLS_CA_FILE":
      return tls.caFile;
    case "FORWARD_TLS_CERT_FILE":
      return tls.certFile;
    case "FORWARD_TLS_KEY_FILE":
      return tls.keyFile;
    case "FORWARD_SASL_USERNAME_FILE":
      return sasl.usernameFile;
    case "FORWARD_SASL_PASSWORD_FILE":
      return sasl.passwordFile;
    case "FORWARD_SASL_TOKEN_FILE":
      return sasl.tokenFile;
  }
}

interface WantedFile {
  readonly variable: ForwardFile;
  readonly forward: ForwardConfig;
  readonly mistakes: FileMistake[];
}

/** Returns undefined for a file that is not configured, or cannot be read, which is a mistake. */
function bytesOf(
  contents: FileContents<ForwardFile>,
  { variable, forward, mistakes }: WantedFile,
): Buffer | undefined {
  const content = contents.get(variable);
  if (content === undefined || Buffer.isBuffer(content)) return content;
  mistakes.push(mistake(forward, variable, `a readable file: ${content.reason}`));
  return undefined;
}

function mistake(forward: ForwardConfig, variable: ForwardFile, bound: string): FileMistake {
  return { variable, value: quotePeerText(pathOf(forward, variable)), bound };
}

type Pems = Omit<TlsMaterial, "rejectUnauthorized">;

function pemMistakes({ ca, cert, key }: Pems, forward: ForwardConfig): FileMistake[] {
  const found = [];
  if (ca !== undefined && !areAuthorities(ca)) {
    found.push(mistake(forward, "FORWARD_TLS_CA_FILE", "a PEM file of certificates"));
  }
  if (cert !== undefined && !isUsable({ cert })) {
    found.push(mistake(forward, "FORWARD_TLS_CERT_FILE", "a PEM file with a certificate"));
  } else if (cert !== undefined && key !== undefined && !isUsable({ cert, key })) {
    const bound = "the private key of FORWARD_TLS_CERT_FILE in PEM, without a passphrase";
    found.push(mistake(forward, "FORWARD_TLS_KEY_FILE", bound));
  }
  return found;
}

/** Holds the certificates of TLS connections; without `ca`, the system's authorities are used. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  /** False accepts any certificate of the upstream. */
  readonly rejectUnauthorized: boolean;
}
