import { SYSTEM_CLOCK } from "../adapters/clock/system-clock.ts";
import {
  type FileContents,
  type FileMistakes,
  loadFiles,
  ReloadedFiles,
} from "../adapters/listening/reloaded-files.ts";
import {
  dateWarnings,
  parseTlsFiles,
  ServerTls,
  type TlsFileNames,
  type TlsMaterial,
  type TlsVariable,
} from "../adapters/listening/server-tls.ts";
import type { Config, ConfigWarning, ListenerPrefix } from "../config/config.ts";
import type { ProblemProtocol } from "../domain/problem-reason.ts";
import { systemErrorText } from "../domain/text/system-error.ts";
import type { TimerClock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";

/** The certificates of the listeners that have one. */
export interface ListenerCertificates {
  readonly tls: Readonly<Partial<Record<ProblemProtocol, ServerTls>>>;
  /** Reads the files again. Resolves to whether their contents are in use. */
  reload(): Promise<boolean>;
  /** Ends the watch of the files. */
  close(): void;
}

interface OpenParts {
  readonly config: Config;
  readonly logger: Logger;
  readonly clock?: TimerClock;
}

/** Reads the files of the listeners, and watches them. Without TLS, it does nothing. */
export async function openCertificates(
  parts: OpenParts,
): Promise<ListenerCertificates | FileMistakes> {
  const read = await readAll(parts.config);
  const mistakes = read.flatMap(({ parsed }) => ("mistakes" in parsed ? parsed.mistakes : []));
  if (mistakes.length > 0) return { mistakes };
  const opened = read.flatMap(({ files, contents, parsed }) =>
    "mistakes" in parsed ? [] : [watchFiles({ files, contents, parsed }, parts)],
  );
  return {
    tls: Object.fromEntries(opened.map(({ listener, tls }) => [listener, tls])),
    reload: async () => (await Promise.all(opened.map((each) => each.reload()))).every(Boolean),
    close: () => opened.forEach((each) => each.close()),
  };
}

/** Returns the mistakes in the files of the listeners, and warnings about dates. */
export async function checkCertificates(config: Config): Promise<{
  readonly mistakes: FileMistakes["mistakes"];
  readonly warnings: readonly ConfigWarning[];
}> {
  const read = await readAll(config);
  return {
    mistakes: read.flatMap(({ parsed }) => ("mistakes" in parsed ? parsed.mistakes : [])),
    warnings: read.flatMap(({ files, parsed }) =>
      "mistakes" in parsed ? [] : dateWarnings(files, parsed, Date.now()),
    ),
  };
}

interface ListenerFiles extends TlsFileNames {
  readonly listener: ProblemProtocol;
}

interface ReadFiles<Parsed> {
  readonly files: ListenerFiles;
  readonly contents: FileContents<TlsVariable>;
  readonly parsed: Parsed;
}

async function readAll(config: Config): Promise<ReadFiles<TlsMaterial | FileMistakes>[]> {
  const reads = filesOf(config).map(async (files) => {
    const contents = await loadFiles(files.paths);
    return { files, contents, parsed: parseTlsFiles(files, contents) };
  });
  return await Promise.all(reads);
}

const PREFIXES = { api: "API", grpc: "OTLP_GRPC", http: "OTLP_HTTP" } as const satisfies Record<
  ProblemProtocol,
  ListenerPrefix
>;

function filesOf(config: Config): ListenerFiles[] {
  return (Object.keys(PREFIXES) as ProblemProtocol[]).flatMap((listener) => {
    const address = config[listener];
    if (address === "off" || address.tls === undefined) return [];
    const { certFile, keyFile, clientCaFile } = address.tls;
    const prefix = PREFIXES[listener];
    const names = {
      certFile: `${prefix}_TLS_CERT_FILE`,
      keyFile: `${prefix}_TLS_KEY_FILE`,
      clientCaFile: `${prefix}_TLS_CLIENT_CA_FILE`,
    };
    const paths = new Map<TlsVariable, string>([
      ["certFile", certFile],
      ["keyFile", keyFile],
    ]);
    if (clientCaFile !== "") paths.set("clientCaFile", clientCaFile);
    return [{ listener, names, paths }];
  });
}

function watchFiles(
  { files, contents, parsed }: ReadFiles<TlsMaterial>,
  { logger, clock = SYSTEM_CLOCK }: OpenParts,
) {
  const { listener, names, paths } = files;
  const tls = new ServerTls(parsed);
  const use = (material: TlsMaterial, changed: readonly TlsVariable[]): void => {
    for (const warning of dateWarnings(files, material, Date.now())) {
      logger.warning("configuration", { ...warning });
    }
    replaceCertificate(tls, material, { logger, listener });
    logger.info("tls_reloaded", { listener, files: changed.map((each) => names[each]) });
  };
  const parse = (read: FileContents<TlsVariable>) => parseTlsFiles(files, read);
  const reloaded = new ReloadedFiles({ paths, parse, use, logger }, contents);
  const endWatch = reloaded.watch(clock);
  const close = () => {
    endWatch();
    reloaded.close();
  };
  return { listener, tls, reload: () => reloaded.reload(), close };
}

/** If a listener cannot listen again, for want of descriptors, it is tried again later. */
function replaceCertificate(
  tls: ServerTls,
  material: TlsMaterial,
  { logger, listener }: { readonly logger: Logger; readonly listener: ProblemProtocol },
): void {
  try {
    tls.use(material);
  } catch (error) {
    logger.error("cannot_listen", { listener, reason: systemErrorText(error) });
  }
}
