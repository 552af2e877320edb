import { countedText } from "../render/quantities.ts";
import type { Receiver } from "./receiver.ts";

/** What came, or was to come, and cannot be looked at: any of it may have matched. */
export interface Losses {
  readonly evictedSpans: number;
  readonly rejectedSpans: number;
  /** Because the ring was full; of these it is not known whether they came again later. */
  readonly refusedRequests: number;
  readonly tooLargeRequests: number;
  /** That could not be read, or met a fault. */
  readonly unkeptRequests: number;
  /** POSTs to a path where there is nothing. */
  readonly strayRequests: number;
  /** Of a type or in an encoding that nobody reads. */
  readonly unreadableRequests: number;
}

export function lossesOf({ buffer, requests }: Pick<Receiver, "buffer" | "requests">): Losses {
  const { evicted: evictedSpans, rejected: rejectedSpans } = buffer.stats().spans;
  return {
    evictedSpans,
    rejectedSpans,
    refusedRequests: requests("refused"),
    tooLargeRequests: requests("too_large"),
    unkeptRequests: requests("malformed") + requests("failed"),
    strayRequests: requests("unknown_path"),
    unreadableRequests: requests("unsupported_media"),
  };
}

export function isAnythingLost(losses: Losses): boolean {
  return Object.values(losses).some((count: number) => count > 0);
}

const MORE_ROOM = "set MAX_BUFFER_SIZE, or MAX_BUFFER_BYTES, to more than the command emits";

interface Fate {
  readonly noun: "span" | "request";
  readonly text: string;
}

const FATES: Readonly<Record<keyof Losses, Fate>> = {
  evictedSpans: { noun: "span", text: `evicted before anybody could look; ${MORE_ROOM}` },
  refusedRequests: { noun: "request", text: `refused by a full buffer; ${MORE_ROOM}` },
  rejectedSpans: { noun: "span", text: "rejected as not valid; mend the exporter" },
  tooLargeRequests: {
    noun: "request",
    text:
      "larger than a limit, such as GRPC_MAX_MESSAGE_LENGTH; set it higher, " +
      "or send less at a time",
  },
  unkeptRequests: { noun: "request", text: "malformed, or met a fault of the receiver" },
  strayRequests: {
    noun: "request",
    text: "sent to a path where nothing is; traces go to /v1/traces",
  },
  unreadableRequests: {
    noun: "request",
    text:
      "of a type or in an encoding that is not taken; over HTTP protobuf and JSON are, plain or " +
      "with gzip or zstd, and over gRPC gzip and deflate",
  },
};

/** Why an expectation may have missed what was sent, and what to do. */
export function lossTexts(losses: Losses): string[] {
  return Object.entries(FATES).flatMap(([name, { noun, text }]) =>
    lossText(losses[name as keyof Losses], noun, text),
  );
}

function lossText(count: number, noun: string, fate: string): string[] {
  if (count === 0) return [];
  const lost = `${countedText(count, noun)} ${count === 1 ? "was" : "were"}`;
  return [`expectations may have missed spans: ${lost} ${fate}`];
}
