import type { Buffer } from "node:buffer";
import { readFile } from "node:fs/promises";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { ForwardConfig, Mistake } from "../../config.ts";
import { type ExportHeader, parseExportHeaders } from "../../domain/export-headers.ts";
import { quotePeerText } from "../../domain/quote-text.ts";
import type { TlsMaterial } from "./tls-material.ts";

/** In the order of the configuration, and so of the mistakes in them. */
const FILE_VARIABLES = [
  "FORWARD_HEADERS_FILE",
  "FORWARD_TLS_CA_FILE",
  "FORWARD_TLS_CERT_FILE",
  "FORWARD_TLS_KEY_FILE",
] as const;

type FileVariable = (typeof FILE_VARIABLES)[number];

interface FileMistake extends Mistake {
  readonly variable: FileVariable;
}

/** What stands in the files that the configuration names. */
export interface ForwardFiles {
  /** Those of the configuration first. */
  readonly headers: readonly ExportHeader[];
  readonly tls: TlsMaterial;
}

/** Or every mistake in them at once. Values of headers and keys are in none. */
export async function readForwardFiles(
  forward: ForwardConfig,
): Promise<ForwardFiles | { readonly mistakes: readonly Mistake[] }> {
  const { tls, headersFile } = forward;
  const mistakes: FileMistake[] = [];
  const read = (variable: FileVariable, path: string) => readNamed({ variable, path, mistakes });
  const [headers, ca, cert, key] = await Promise.all([
    read("FORWARD_HEADERS_FILE", headersFile),
    read("FORWARD_TLS_CA_FILE", tls.caFile),
    read("FORWARD_TLS_CERT_FILE", tls.certFile),
    read("FORWARD_TLS_KEY_FILE", tls.keyFile),
  ]);
  const more = parseExportHeaders(headers?.toString() ?? "");
  if (more === undefined) mistakes.push(mistake("FORWARD_HEADERS_FILE", headersFile, NO_HEADERS));
  const pems = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  mistakes.push(...pemMistakes(pems, tls));
  if (mistakes.length > 0) return { mistakes: mistakes.toSorted(byVariable) };
  const own = forward.headers.map(([name, value]) => [name, value.reveal()] as const);
  return {
    headers: [...own, ...(more ?? [])],
    tls: { ...pems, rejectUnauthorized: !tls.isInsecure },
  };
}

function byVariable(one: FileMistake, other: FileMistake): number {
  return FILE_VARIABLES.indexOf(one.variable) - FILE_VARIABLES.indexOf(other.variable);
}

const NO_HEADERS = "a file of name=value, a line each, values percent-encoded";

interface NamedFile {
  readonly variable: FileVariable;
  readonly path: string;
  readonly mistakes: FileMistake[];
}

/** Undefined when there is none, or none that can be read: then there is a mistake. */
async function readNamed({ variable, path, mistakes }: NamedFile): Promise<Buffer | undefined> {
  if (path === "") return undefined;
  return await readFile(path).catch((error: Error) => {
    const [reason = ""] = error.message.split(",");
    mistakes.push(mistake(variable, path, `a file that can be read: ${quotePeerText(reason)}`));
    return undefined;
  });
}

function mistake(variable: FileVariable, path: string, bound: string): FileMistake {
  return { variable, value: quotePeerText(path), bound };
}

type Pems = Omit<TlsMaterial, "rejectUnauthorized">;

function pemMistakes({ ca, cert, key }: Pems, tls: ForwardConfig["tls"]): FileMistake[] {
  const found = [];
  if (ca !== undefined && !isUsable({ ca })) {
    found.push(mistake("FORWARD_TLS_CA_FILE", tls.caFile, "a file of certificates, in PEM"));
  }
  if (cert !== undefined && !isUsable({ cert })) {
    found.push(mistake("FORWARD_TLS_CERT_FILE", tls.certFile, "a file of a certificate, in PEM"));
  } else if (cert !== undefined && key !== undefined && !isUsable({ cert, key })) {
    const bound = "the key of FORWARD_TLS_CERT_FILE, in PEM, without a passphrase";
    found.push(mistake("FORWARD_TLS_KEY_FILE", tls.keyFile, bound));
  }
  return found;
}

function isUsable(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
