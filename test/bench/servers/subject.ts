import { openExportClient } from "../../support/running/export-client.ts";
import { readApiClient } from "../../support/running/read-api-client.ts";
import { type RunningProgram, startProgram } from "../../support/running/running-program.ts";
import type { Environment } from "../../../src/config/config.ts";
import { CannotRunError } from "../bench-case.ts";
import { bundle } from "../bundled-module.ts";
import { ownProcess } from "../own-processes.ts";
import type { AnsweredCounts, ReferenceKind, ServerMessage } from "./reference-server.ts";

/** A receiver under load, in a process of its own. */
export interface Subject extends AsyncDisposable {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** What it has answered with success, by its own count: spans where it counts them. */
  readonly answered: () => Promise<Partial<AnsweredCounts>>;
}

export interface Spanring extends Subject {
  readonly httpPort: number;
  readonly apiUrl: string;
}

/** The built executable. */
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

/** It may not be built, or refuse to run. */
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
  let heard = Promise.withResolvers<ServerMessage>();
  const child = Bun.spawn([process.execPath, code, kind], {
    env: {},
    stdio: ["ignore", "ignore", "inherit"],
    ipc: (message: ServerMessage) => heard.resolve(message),
    onExit: () => heard.reject(new CannotRunError(`the server that should ${kind} has ended`)),
  });
  ownProcess(child);
  const begun = await heard.promise;
  return {
    name,
    pid: child.pid,
    port: "port" in begun ? begun.port : 0,
    answered: async () => {
      heard = Promise.withResolvers();
      child.send("counts");
      return countsIn(await heard.promise, kind);
    },
    [Symbol.asyncDispose]: async () => {
      // Its end is what is wanted now, and no failure.
      heard.promise.catch(() => {});
      child.kill();
      await child.exited;
    },
  };
}

/** The servers that discard cannot tell spans. */
function countsIn(message: ServerMessage, kind: ReferenceKind): Partial<AnsweredCounts> {
  if ("port" in message) throw new CannotRunError(`the server that should ${kind} tells no counts`);
  return kind === "decode" ? message : { requests: message.requests };
}

/** One request by a real client, which checks what h2load does not: the status in the trailers. */
export async function exportOnce(port: number, request: Uint8Array): Promise<void> {
  using client = openExportClient(port);
  const answer = await client.export(request);
  if (answer.length > 0) throw new CannotRunError("the request is not accepted as a whole");
}
