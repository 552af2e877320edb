import { openExportClient } from "../../support/running/export-client.ts";
import { readApiClient } from "../../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../../support/running/running-program.ts";
import type { Environment } from "../../../src/config/config.ts";
import { CannotRunError } from "../bench-case.ts";
import { bundle } from "../bundled-module.ts";
import { ownProcess } from "../own-processes.ts";
import type { AnsweredCounts, ReferenceKind, ServerMessage } from "./reference-server.ts";

/** A receiver under load, in its own process. */
export interface Subject extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Returns the number of successful responses by its own count, in spans if it counts them. */
  readonly answered: () => Promise<Partial<AnsweredCounts>>;
}

export interface Spanring extends Subject {
  readonly httpPort: number;
  readonly apiUrl: string;
}

/** Starts the built executable. */
export async function startSpanring(env: Environment = {}): Promise<Spanring> {
  const program = await startBinary(env);
  const api = readApiClient(program.apiUrl);
  return {
    name: "spanring",
    pid: program.pid,
    port: program.grpcPort,
    httpPort: program.httpPort,
    apiUrl: program.apiUrl,
    answered: async () => ({ spans: (await api.stats()).spans.accepted }),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** Starts the executable. Throws if it is not built or does not run. */
export async function startBinary(env: Environment = {}): Promise<RunningProgram> {
  try {
    const program = await startProgram(env);
    ownProcess(program);
    return program;
  } catch (error) {
    throw new CannotRunError(error instanceof Error ? error.message : String(error));
  }
}

export async function startReference(kind: ReferenceKind, name: string): Promise<Subject> {
  const code = await bundle("servers/reference-server.ts");
  let nextMessage = Promise.withResolvers<ServerMessage>();
  const child = Bun.spawn([process.execPath, code, kind], {
    env: {},
    stdio: ["ignore", "ignore", "inherit"],
    ipc: (message: ServerMessage) => nextMessage.resolve(message),
    onExit: () =>
      nextMessage.reject(new CannotRunError(`the server that should ${kind} has ended`)),
  });
  ownProcess(child);
  const begun = await nextMessage.promise;
  return {
    name,
    pid: child.pid,
    port: "port" in begun ? begun.port : 0,
    answered: async () => {
      nextMessage = Promise.withResolvers();
      child.send("counts");
      return countsIn(await nextMessage.promise, kind);
    },
    [Symbol.asyncDispose]: async () => {
      // Its end is expected now and is not a failure.
      nextMessage.promise.catch(() => {});
      child.kill();
      await child.exited;
    },
  };
}

/** Returns the counts of a message. Servers that discard requests do not count spans. */
function countsIn(message: ServerMessage, kind: ReferenceKind): Partial<AnsweredCounts> {
  if ("port" in message) throw new CannotRunError(`the server that should ${kind} sends no counts`);
  return kind === "decode" ? message : { requests: message.requests };
}

/**
 * Sends one request with a real client, which checks the status in the trailers that h2load
 * ignores.
 */
export async function exportOnce(port: number, request: Uint8Array): Promise<void> {
  using client = openExportClient(port);
  const answer = await client.export(request);
  if (answer.length > 0) throw new CannotRunError("the request is not accepted as a whole");
}
