import { quotePeerText } from "../../../domain/text/quote-text.ts";
import {
  health as healthMessage,
  readiness as readinessMessage,
} from "../../api-messages/messages.ts";
import { accessOf } from "../api/access.ts";
import { answerLimit, apiUrl, messageIn } from "../api/ask-api.ts";
import { routeTo, unanswered, unreachable } from "../api/connection-fault.ts";
import { type OwnApi, ownApi } from "../api/own-api.ts";
import { type CommandRun, isGiven, report, valueOf } from "../command/command-run.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";

/** Less than probes usually wait, so that they show the reason. */
const ANSWER_LIMIT_MS = 3_000;

/** Asks a receiver whether it is ready, or alive. Every failure has the exit code of "no". */
export async function healthcheck(run: CommandRun): Promise<ExitCode> {
  try {
    return await check(run);
  } catch (error) {
    if (!(error instanceof CommandFailure) || error.exitCode === EXIT_CODE.badUsage) throw error;
    throw new CommandFailure(EXIT_CODE.notFound, error.message);
  }
}

async function check(run: CommandRun): Promise<ExitCode> {
  const target = isElsewhere(run) ? { url: apiUrl(run), options: accessOf(run) } : ownApi(run);
  const { ok, status } = await ask(run, target);
  if (ok) run.stdout.write(`${status}\n`);
  else report(run, `${quotePeerText(target.url)} is not ready: ${status}`);
  return ok ? EXIT_CODE.ok : EXIT_CODE.notFound;
}

/** Reports whether the caller says where the receiver is, instead of the receiver's variables. */
function isElsewhere(run: CommandRun): boolean {
  return valueOf(run, "url") !== undefined || Boolean(run.env["SPANRING_URL"]);
}

interface Health {
  readonly ok: boolean;
  readonly status: string;
}

async function ask(run: CommandRun, { url, options }: OwnApi): Promise<Health> {
  using limit = answerLimit(run.clock, ANSWER_LIMIT_MS);
  const [path, message] = isGiven(run, "alive")
    ? ["/healthz", healthMessage]
    : ["/readyz", readinessMessage];
  const route = routeTo(url, path);
  const init = { ...options, ...route.options, timeout: false, signal: limit.signal };
  try {
    const response = await fetch(route.url, init);
    return { ok: response.ok, status: (await messageIn(response, message)).status };
  } catch (error) {
    if (limit.signal.aborted) throw noHealth(unanswered(url, ANSWER_LIMIT_MS));
    if (error instanceof CommandFailure) throw error;
    throw noHealth(unreachable(url, run.env, error));
  }
}

function noHealth(message: string): CommandFailure {
  return new CommandFailure(EXIT_CODE.notFound, message);
}
