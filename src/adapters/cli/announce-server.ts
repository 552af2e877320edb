import { readyVariables, writeReadyFile } from "./files/ready-file.ts";
import { endpointsOf, type ListeningServer } from "./render/endpoints.ts";

/** Says how a server announces to the program that has started it that it is listening. */
export interface Announcement {
  readonly readyFile?: string | undefined;
  readonly printsEnv: boolean;
}

/** Standard output, which is given up after the variables. */
export interface EnvOutput {
  readonly write: (text: string) => unknown;
  /** Closes it, so that `eval "$(spanring --print-env &)"` does not wait for the end. */
  readonly release: () => void;
}

/** Announces a server. Call the returned function when it stops. */
export async function announceServer(
  server: ListeningServer,
  { readyFile, printsEnv }: Announcement,
  output: EnvOutput,
): Promise<() => void> {
  const endpoints = endpointsOf(server);
  const withdraw =
    readyFile === undefined ? () => {} : await writeReadyFile(readyFile, { endpoints });
  if (printsEnv) {
    output.write(shellExports({ ...readyVariables(endpoints), SPANRING_PID: String(process.pid) }));
    output.release();
  }
  return withdraw;
}

function shellExports(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
    .join("");
}

/** Returns a word that every POSIX shell reads as this value. */
function shellWord(value: string): string {
  return /^[\w:/.,@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", String.raw`'\''`)}'`;
}
