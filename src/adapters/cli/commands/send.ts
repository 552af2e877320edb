import { NANOS_PER_MS_NUMBER } from "../../../domain/time.ts";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { usageFailure } from "../command/answer-form.ts";
import { CommandFailure, EXIT_CODE, type ExitCode } from "../output/exit-code.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { type FileFault, faultText, type FileRequest } from "../../otlp-files/file-request.ts";
import { readRequests } from "../../otlp-files/read-requests.ts";
import { bytesText, countedText, countText, durationText } from "../output/quantities.ts";
import { pacingOf } from "../send/pacing.ts";
import { openProgress } from "../send/progress-bar.ts";
import { openTarget } from "../send/open-target.ts";
import { newTally, type SendEnd, sendRequests, type Tally } from "../send/send-requests.ts";
import type { SendTarget } from "../send/send-target.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";

const STANDARD_INPUT = "-";

/** Collects everything in the files that cannot be sent. */
interface FileProblems {
  /** The first few faults, with their places. */
  readonly faults: string[];
  moreFaults: number;
  /** Bytes that were skipped because of faults that are only counted. */
  moreBytes: number;
  otherSignals: number;
}

const MAX_FAULTS = 10;

export async function send(run: CommandRun): Promise<ExitCode> {
  const { clock, stderr } = run;
  const pacing = pacingOf(run);
  const totalBytes = await totalSize(run.operands);
  const target = await openTarget(run);
  const tally = newTally();
  const fileProblems: FileProblems = { faults: [], moreFaults: 0, moreBytes: 0, otherSignals: 0 };
  const progress = openProgress(stderr, run, totalBytes);
  const startedMs = clock.monotonicMs();
  try {
    const parts = {
      target,
      pacing,
      clock,
      signal: run.interruption(),
      progressed: progress.update,
    };
    await sendRequests(requestsIn(run, fileProblems), tally, parts);
  } finally {
    progress.clear();
    await target.close();
  }
  if (tally.end?.reason === "unreachable" && tally.requests === 0)
    throw unreachable(target, tally.end);
  run.stdout.write(`${summary(tally, clock.monotonicMs() - startedMs)}\n`);
  for (const problem of problems(tally, fileProblems, target)) report(run, problem);
  return exitCodeOf(tally, fileProblems);
}

/** Returns the size of all files; undefined with standard input. Throws if one is unreadable. */
async function totalSize(paths: readonly string[]): Promise<number | undefined> {
  const sizes = await Promise.all(paths.map(sizeOf));
  if (sizes.includes(undefined)) return undefined;
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
}

async function sizeOf(path: string): Promise<number | undefined> {
  if (path === STANDARD_INPUT) return undefined;
  const found = await stat(path).catch((error: unknown) => {
    throw usageFailure(`cannot read "${quotePeerText(path)}": ${systemErrorText(error)}`);
  });
  if (found.isDirectory()) throw usageFailure(`"${quotePeerText(path)}" is a folder, not a file`);
  return found.isFile() ? found.size : undefined;
}

/** Yields the requests of all files in order, and records everything else. */
async function* requestsIn(
  run: CommandRun,
  fileProblems: FileProblems,
): AsyncGenerator<FileRequest> {
  for await (const { path, item } of itemsIn(run)) {
    if ("bytes" in item) yield item;
    else if ("otherSignal" in item) fileProblems.otherSignals += 1;
    else noteFault(fileProblems, path === STANDARD_INPUT ? "standard input" : path, item);
  }
}

async function* itemsIn(run: CommandRun) {
  for (const path of run.operands) {
    const isInput = path === STANDARD_INPUT;
    const chunks = isInput ? run.stdin() : createReadStream(path, { highWaterMark: CHUNK_BYTES });
    // oxlint-disable-next-line no-await-in-loop -- files are sent in the order they were named
    for await (const item of readRequests(chunks)) yield { path, item };
  }
}

const CHUNK_BYTES = 256 * 1024;

function noteFault(fileProblems: FileProblems, name: string, fault: FileFault): void {
  const { skippedBytes } = fault;
  if (fileProblems.faults.length === MAX_FAULTS) {
    fileProblems.moreFaults += 1;
    fileProblems.moreBytes += skippedBytes ?? 0;
    return;
  }
  const skipped = skippedBytes === undefined ? "" : `; ${bytesText(skippedBytes)} skipped`;
  fileProblems.faults.push(`${quotePeerText(name)}: ${faultText(fault)}${skipped}`);
}

function unreachable({ name, advice }: SendTarget, { message, hint }: SendEnd): CommandFailure {
  return new CommandFailure(
    EXIT_CODE.cannotConnect,
    `cannot send to ${quotePeerText(name)}: ${message}\n${hint ?? advice}`,
  );
}

function summary(tally: Tally, elapsedMs: number): string {
  const { spans, requests, bytes } = tally;
  const rate =
    elapsedMs <= 0 ? "" : `, ${countText(Math.round((spans / elapsedMs) * 1000))} spans/s`;
  const elapsed = durationText(BigInt(Math.round(elapsedMs * NANOS_PER_MS_NUMBER)));
  const amount = `${countedText(requests, "request")} (${bytesText(bytes)})`;
  return `sent ${countedText(spans, "span")} in ${amount} in ${elapsed}${rate}`;
}

function problems(tally: Tally, fileProblems: FileProblems, target: SendTarget): string[] {
  const { faults, moreFaults, moreBytes, otherSignals } = fileProblems;
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

function exitCodeOf(tally: Tally, { faults }: FileProblems): ExitCode {
  if (tally.end?.reason === "interrupted") return EXIT_CODE.interrupted;
  const { reason } = tally.end ?? {};
  if (reason === "unreachable" || reason === "blocked") return EXIT_CODE.cannotConnect;
  const isWhole = tally.rejectedSpans === 0 && tally.refusedRequests === 0 && faults.length === 0;
  return isWhole ? EXIT_CODE.ok : EXIT_CODE.notAccepted;
}
