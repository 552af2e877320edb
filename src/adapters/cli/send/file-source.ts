import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { quotePeerText } from "../../../domain/text/quote-text.ts";
import { systemErrorText } from "../../../domain/text/system-error.ts";
import { type FileFault, faultText, type FileRequest } from "../../otlp-files/file-request.ts";
import { readRequests } from "../../otlp-files/read-requests.ts";
import { usageFailure } from "../command/answer-form.ts";
import type { CommandRun } from "../command/command-run.ts";
import { newProblems, noteFault, type SendSource, type SourceProblems } from "./send-source.ts";

const STANDARD_INPUT = "-";

/** Returns the source of the files that the command names. Throws if one is unreadable. */
export async function fileSource(run: CommandRun): Promise<SendSource> {
  const problems = newProblems();
  return {
    totalBytes: await totalSize(run.operands),
    follows: false,
    problems,
    begin: async () => requestsIn(run, problems),
    close: async () => {},
  };
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
async function* requestsIn(run: CommandRun, problems: SourceProblems): AsyncGenerator<FileRequest> {
  for await (const { path, item } of itemsIn(run)) {
    if ("bytes" in item) yield item;
    else if ("otherSignal" in item) problems.otherSignals += 1;
    else noteFileFault(problems, path === STANDARD_INPUT ? "standard input" : path, item);
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

function noteFileFault(problems: SourceProblems, name: string, fault: FileFault): void {
  noteFault(problems, `${quotePeerText(name)}: ${faultText(fault)}`, fault.skippedBytes);
}
