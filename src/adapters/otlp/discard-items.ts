import type { Receipt } from "../../domain/receipt.ts";
import type {
  UnsupportedReceipt,
  UnsupportedRequest,
  UnsupportedSignal,
} from "../../application/receiving/unsupported-signals.ts";
import type { UnsupportedSignals } from "../../application/receiving/unsupported-signals.ts";
import { countItems, type ItemPath, NO_COUNT } from "../../domain/wire/item-count.ts";
import { countItemsInSteps, type JsonItemPath } from "./json/json-count.ts";
import { runSteps } from "./json/json-reader.ts";

/** A step down to the items, in protobuf and in JSON. */
interface Step {
  readonly isRepeated: boolean;
  /** The field numbers by their names in JSON. */
  readonly fields: Readonly<Record<string, number>>;
}

/**
 * The paths to the items that OTLP counts in a refused request: data points of all metrics, and log
 * records.
 * Source: opentelemetry-proto, metrics/v1/metrics.proto, logs/v1/logs.proto.
 */
const STEPS: Readonly<Record<UnsupportedSignal, readonly Step[]>> = {
  metrics: [
    { isRepeated: true, fields: { resourceMetrics: 1 } },
    { isRepeated: true, fields: { scopeMetrics: 2 } },
    { isRepeated: true, fields: { metrics: 2 } },
    {
      isRepeated: false,
      fields: { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 },
    },
    { isRepeated: true, fields: { dataPoints: 1 } },
  ],
  logs: [
    { isRepeated: true, fields: { resourceLogs: 1 } },
    { isRepeated: true, fields: { scopeLogs: 2 } },
    { isRepeated: true, fields: { logRecords: 2 } },
  ],
};

const ENCODED_PATHS: Readonly<Record<UnsupportedSignal, ItemPath>> = {
  metrics: STEPS.metrics.map(({ fields }) => Object.values(fields)),
  logs: STEPS.logs.map(({ fields }) => Object.values(fields)),
};

const JSON_PATHS: Readonly<Record<UnsupportedSignal, JsonItemPath>> = {
  metrics: STEPS.metrics.map(jsonStep),
  logs: STEPS.logs.map(jsonStep),
};

function jsonStep({ isRepeated, fields }: Step): JsonItemPath[number] {
  return { isRepeated, names: Object.keys(fields) };
}

export interface DiscardParts {
  readonly unsupported: UnsupportedSignals;
  /** The limit for JSON, as in the wire walk. */
  readonly nestingDepth: number;
}

export interface DiscardedRequest extends Pick<UnsupportedRequest, "signal" | "protocol"> {
  readonly format: "protobuf" | "json";
}

type Malformed = Extract<Receipt, { outcome: "malformed" }>;

/** Answers a request of an unsupported signal: counts its items, and rejects all of them. */
export function discardItems(
  bytes: Uint8Array,
  request: DiscardedRequest,
  parts: DiscardParts,
): UnsupportedReceipt | Malformed {
  return runSteps(discardItemsInSteps(bytes, request, parts));
}

/** Does the same, with pauses in long JSON. */
export function* discardItemsInSteps(
  bytes: Uint8Array,
  request: DiscardedRequest,
  { unsupported, nestingDepth }: DiscardParts,
): Generator<void, UnsupportedReceipt | Malformed> {
  const { signal, format } = request;
  const items =
    format === "json"
      ? yield* countItemsInSteps(bytes, JSON_PATHS[signal], { nestingDepth })
      : countItems(bytes, ENCODED_PATHS[signal]);
  if (typeof items === "string") return malformed(`not OTLP/JSON: ${items}`);
  if (items === NO_COUNT) return malformed(`the message is not an export request for ${signal}`);
  return unsupported.receive({ ...request, items });
}

function malformed(message: string): Malformed {
  return { outcome: "malformed", message };
}
