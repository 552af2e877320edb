import type { ForwardEndpoint } from "../../../config/config.ts";
import { shownEndpoint } from "../../../config/endpoint.ts";
import { readInstant } from "../../../domain/query/time-text.ts";
import { NANOS_PER_MS } from "../../../domain/time.ts";
import {
  TopicFault,
  type TopicItem,
  type TopicRange,
  type TopicSource,
} from "../../../ports/topic-source.ts";
import type { FileRequest } from "../../otlp-files/file-request.ts";
import { requestItem } from "../../otlp-files/read-requests.ts";
import { type CommandRun, report } from "../command/command-run.ts";
import { CommandFailure, EXIT_CODE } from "../output/exit-code.ts";
import { BROKER_ADVICE, hintSentence } from "./kafka-settings.ts";
import { newProblems, noteFault, type SendSource, type SourceProblems } from "./send-source.ts";

/** The options that select messages. */
export interface RangeOptions {
  readonly since: string | undefined;
  readonly follow: boolean;
}

/** Returns the messages that are wanted; undefined if `since` is not a time. */
export function readRange(
  { since, follow }: RangeOptions,
  nowUnixMs: number,
): TopicRange | undefined {
  // Without a start in the past, nothing is there yet.
  if (since === undefined) return { sinceUnixMs: undefined, follows: true };
  const instant = readInstant(since, BigInt(nowUnixMs) * NANOS_PER_MS);
  if (instant === undefined) return undefined;
  return { sinceUnixMs: Math.max(0, Number(instant / NANOS_PER_MS)), follows: follow };
}

export interface TopicSourceParts {
  readonly source: TopicSource;
  readonly endpoint: ForwardEndpoint;
  readonly range: TopicRange;
}

/** Returns the source of the messages of a topic. */
export function topicSource(run: CommandRun, parts: TopicSourceParts): SendSource {
  const { source, endpoint, range } = parts;
  const problems = newProblems();
  const name = shownEndpoint(endpoint);
  return {
    totalBytes: undefined,
    follows: range.follows,
    problems,
    begin: async (signal) => {
      const stalled = (cause: TopicFault | undefined) => reportStall(run, name, cause);
      const items = await source.read({ ...range, stalled }, signal).catch((error: unknown) => {
        const text = `cannot read ${name}: ${faultText(error)}`;
        throw new CommandFailure(EXIT_CODE.cannotConnect, text);
      });
      // Ctrl-C is the usual end only once something could be read.
      signal.throwIfAborted();
      if (range.follows) report(run, `reading ${name} until Ctrl-C`);
      return requestsIn(items, name, problems);
    },
    close: () => source.close(),
  };
}

/** Brokers that restart are back sooner or later, and whoever follows a topic waits for them. */
function reportStall(run: CommandRun, name: string, cause: TopicFault | undefined): void {
  if (cause === undefined) report(run, `reading ${name} again`);
  else report(run, `cannot read ${name}, still trying: ${faultText(cause)}`);
}

/** Describes a fault and what to do; rethrows any other error. */
function faultText(error: unknown): string {
  if (!(error instanceof TopicFault)) throw error;
  return `${error.message}\n${hintSentence(error.hint, "--from") ?? BROKER_ADVICE}`;
}

/** Yields the requests, and records everything else. */
async function* requestsIn(
  items: AsyncIterable<TopicItem>,
  name: string,
  problems: SourceProblems,
): AsyncGenerator<FileRequest> {
  try {
    for await (const item of items) {
      const request = requestOf(item);
      if (typeof request !== "string") yield request;
      else noteFault(problems, `${name}, ${placeOf(item)}: ${request}`, sizeOf(item));
    }
  } catch (error) {
    problems.end = `lost ${name}: ${faultText(error)}`;
  }
}

function placeOf(item: TopicItem): string {
  if ("offset" in item) return `partition ${item.partition}, offset ${item.offset}`;
  return `partition ${item.partition}, offsets ${item.firstOffset} to ${item.lastOffset}`;
}

function sizeOf(item: TopicItem): number | undefined {
  return "value" in item ? (item.value?.length ?? 0) : undefined;
}

const OPENING_BRACE = 0x7b;

/** Returns the request in a message, or the reason if there is none. */
function requestOf(item: TopicItem): FileRequest | string {
  if (!("value" in item)) return "the brokers removed these messages before they were read";
  const { value } = item;
  if (value === null) return "the message has no value";
  if (value[0] === OPENING_BRACE) return "this is JSON, and only otlp_proto can be read";
  return requestItem(value, value.length);
}
