import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { NANOS_PER_MS_NUMBER } from "../../../domain/time.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { bytesText, countedText, countText, durationText } from "../output/quantities.ts";
import type { SendEnd, Tally } from "./send-requests.ts";
import type { SourceProblems } from "./send-source.ts";
import type { SendTarget } from "./send-target.ts";

/** Returns the failure for a target that has accepted nothing. */
export function unreachable(
  { name, advice }: SendTarget,
  { message, hint }: SendEnd,
): CommandFailure {
  return new CommandFailure(
    EXIT_CODE.cannotConnect,
    `cannot send to ${quotePeerText(name)}: ${message}\n${hint ?? advice}`,
  );
}

/** Returns a line with what was sent. */
export function summary(tally: Tally, elapsedMs: number): string {
  const { spans, requests, bytes } = tally;
  const rate =
    elapsedMs <= 0 ? "" : `, ${countText(Math.round((spans / elapsedMs) * 1000))} spans/s`;
  const elapsed = durationText(BigInt(Math.round(elapsedMs * NANOS_PER_MS_NUMBER)));
  const amount = `${countedText(requests, "request")} (${bytesText(bytes)})`;
  return `sent ${countedText(spans, "span")} in ${amount} in ${elapsed}${rate}`;
}

/** Returns a line for each thing that went wrong. */
export function problemLines(tally: Tally, source: SourceProblems, target: SendTarget): string[] {
  const { faults, moreFaults, moreBytes, otherSignals } = source;
  const { rejectedSpans, refusedRequests, refusedSpans, messages, end } = tally;
  const [requests, spans] = [
    countedText(refusedRequests, "request"),
    countedText(refusedSpans, "span"),
  ];
  const more = `${countedText(moreFaults, "more broken part")} skipped (${bytesText(moreBytes)})`;
  const others = `${countedText(otherSignals, "request")} with metrics or logs skipped`;
  return [
    ...(rejectedSpans > 0 ? [`${countedText(rejectedSpans, "span")} rejected`] : []),
    ...(refusedRequests > 0 ? [`${requests} with ${spans} refused`] : []),
    ...[...messages].map((message) => `${target.speaker}${message}`),
    ...(otherSignals > 0 ? [others] : []),
    ...faults,
    ...(moreFaults > 0 ? [more] : []),
    ...(source.end === undefined ? [] : [source.end]),
    ...(end === undefined ? [] : [endText(end, quotePeerText(target.name))]),
  ];
}

function endText({ reason, message, hint }: SendEnd, name: string): string {
  const advice = hint === undefined ? "" : `\n${hint}`;
  switch (reason) {
    case "blocked":
      return `${name} answered ${message}; the rest was not sent${advice}`;
    case "unreachable":
      return `lost ${name}: ${message}; the rest was not sent${advice}`;
    case "refusing":
      return `gave up on ${name}, which keeps refusing requests; the rest was not sent`;
    case "interrupted":
      return "interrupted; the rest was not sent";
  }
}

/** Returns the exit code of a command that was not interrupted. */
export function exitCodeOf(tally: Tally, { faults, end }: SourceProblems): ExitCode {
  const { reason } = tally.end ?? {};
  const isLost = reason === "unreachable" || reason === "blocked" || end !== undefined;
  if (isLost) return EXIT_CODE.cannotConnect;
  const isWhole = tally.rejectedSpans === 0 && tally.refusedRequests === 0 && faults.length === 0;
  return isWhole ? EXIT_CODE.ok : EXIT_CODE.notAccepted;
}
