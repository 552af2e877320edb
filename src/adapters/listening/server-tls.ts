import { Buffer } from "node:buffer";
import { X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";
import type { ConfigWarning, ListenerTls, Mistake } from "../../config/config.ts";
import { quotePeerText } from "../../domain/text/quote-text.ts";
import type { FileContents, FileMistakes, FilePaths } from "./reloaded-files.ts";
import { areAuthorities, isUsable } from "./pem.ts";

/** The variables that name the files of one listener, in the order of their mistakes. */
export type TlsVariable = keyof ListenerTls;

/** The certificate of a listener, its key, and the authorities of its clients. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** Undefined if clients need no certificate. */
  readonly clientCa: Buffer | undefined;
}

/** Holds the certificate that new connections get. */
export class ServerTls {
  // Moved by `use`.
  private current: TlsMaterial;
  private secureContext: SecureContext;
  private readonly listeners = new Set<() => void>();

  constructor(material: TlsMaterial) {
    this.current = material;
    this.secureContext = contextOf(material);
  }

  get material(): TlsMaterial {
    return this.current;
  }

  get context(): SecureContext {
    return this.secureContext;
  }

  /** Gives new connections another certificate. Open connections keep theirs. */
  use(material: TlsMaterial): void {
    this.current = material;
    this.secureContext = contextOf(material);
    for (const changed of this.listeners) changed();
  }

  /** Calls a function after each change. */
  onChange(changed: () => void): void {
    this.listeners.add(changed);
  }
}

/** Older versions are broken, and no exporter needs them. */
const MIN_VERSION = "TLSv1.2";

function contextOf({ cert, key, clientCa }: TlsMaterial): SecureContext {
  const ca = clientCa === undefined ? {} : { ca: clientCa };
  return createSecureContext({ cert, key, ...ca, minVersion: MIN_VERSION });
}

/** Returns the options of `Bun.serve`, which accepts no version before TLS 1.2. */
export function servedTls({ material: { cert, key, clientCa } }: ServerTls): Bun.TLSOptions {
  return clientCa === undefined ? { cert, key } : { cert, key, ca: clientCa, requestCert: true };
}

/** Parses the files of a listener, or returns every mistake in them. No mistake shows a key. */
export function parseTlsFiles(
  { names, paths }: TlsFileNames,
  contents: FileContents<TlsVariable>,
): TlsMaterial | FileMistakes {
  const mistakes: Mistake[] = [];
  const mistaken = (variable: TlsVariable, bound: string): undefined => {
    const value = quotePeerText(paths.get(variable) ?? "");
    mistakes.push({ variable: names[variable], value, bound });
  };
  const read = (variable: TlsVariable): Buffer | undefined => {
    const content = contents.get(variable);
    if (content === undefined || Buffer.isBuffer(content)) return content;
    return mistaken(variable, `a readable file: ${content.reason}`);
  };
  const [cert, key, clientCa] = [read("certFile"), read("keyFile"), read("clientCaFile")];
  if (cert !== undefined && !isUsable({ cert })) mistaken("certFile", A_CERTIFICATE);
  else if (cert !== undefined && key !== undefined && !isUsable({ cert, key })) {
    mistaken("keyFile", `the private key of ${names.certFile} in PEM, without a passphrase`);
  }
  if (clientCa !== undefined && !areAuthorities(clientCa)) mistaken("clientCaFile", AUTHORITIES);
  if (mistakes.length > 0 || cert === undefined || key === undefined) return { mistakes };
  return { cert, key, clientCa };
}

/** The files of one listener, and the variables that name them. */
export interface TlsFileNames {
  readonly names: Readonly<Record<TlsVariable, string>>;
  readonly paths: FilePaths<TlsVariable>;
}

const A_CERTIFICATE = "a file of a certificate in PEM, followed by those of its issuers";
const AUTHORITIES = "a file of certificates in PEM";

/** Warns of a certificate that clients refuse because of its dates. */
export function dateWarnings(
  { names }: Pick<TlsFileNames, "names">,
  { cert }: Pick<TlsMaterial, "cert">,
  nowMs: number,
): ConfigWarning[] {
  const { validFromDate: from, validToDate: to } = new X509Certificate(cert);
  const fault =
    to.getTime() < nowMs
      ? `has expired: it was valid until ${to.toISOString()}`
      : from.getTime() > nowMs
        ? `is not valid yet: it begins at ${from.toISOString()}`
        : undefined;
  if (fault === undefined) return [];
  return [{ variable: names.certFile, message: `the certificate ${fault}; clients refuse it` }];
}
