import { type Answer, type FakeRequest, startFakeServer } from "../fakes/fake-api.ts";
import { type CommandEnd, type CommandSurroundings, runCommands } from "./run-command-line.ts";

export interface FakeEnd extends CommandEnd {
  readonly url: string;
  /** The method and path of each request, with the query as written. */
  readonly requestLines: readonly string[];
  readonly requests: readonly FakeRequest[];
}

/** Runs a command against a server that gives the same response to all requests. */
export async function runAgainstFake(
  [command = "", ...argv]: readonly string[],
  answer: Answer,
  surroundings: CommandSurroundings = {},
): Promise<FakeEnd> {
  const server = startFakeServer(answer);
  const where = command === "send" ? "--to" : "--url";
  const end = await runCommands([command, where, server.url, ...argv], surroundings);
  const requestLines = server.requests.map(({ method, path }) => `${method} ${path}`);
  return { ...end, url: server.url, requestLines, requests: server.requests };
}
