import * as fc from "fast-check";
import { bytesField, fixed64Field, varintField } from "./wire-bytes.ts";

/** A request of metrics or logs in both encodings, and its number of items. */
export interface SignalRequest {
  readonly encoded: Uint8Array<ArrayBuffer>;
  readonly json: string;
  readonly items: number;
}

interface Part {
  readonly encoded: number[];
  readonly json: object;
  readonly items: number;
}

/** Field names on the path to the items, in order, with their numbers. */
type Step = Readonly<Record<string, number>>;

const METRICS_STEPS: readonly Step[] = [
  { resourceMetrics: 1 },
  { scopeMetrics: 2 },
  { metrics: 2 },
  { gauge: 5, sum: 7, histogram: 9, exponentialHistogram: 10, summary: 11 },
  { dataPoints: 1 },
];
const LOGS_STEPS: readonly Step[] = [{ resourceLogs: 1 }, { scopeLogs: 2 }, { logRecords: 2 }];

/** Other contents of such messages: a name, a number, and an attribute that looks like the path. */
const around = fc.constantFrom<{ encoded: number[]; json: object }>(
  { encoded: [], json: {} },
  { encoded: bytesField(31, "dataPoints"), json: { name: 'dataPoints"}]' } },
  { encoded: [...varintField(30, 7), ...fixed64Field(29, 7n)], json: { isMonotonic: true } },
  {
    encoded: bytesField(28, bytesField(1, bytesField(2, bytesField(2)))),
    json: { scope: { attributes: [{ key: "a", value: { dataPoints: [{}, {}] } }] } },
  },
);

const item: fc.Arbitrary<Part> = around.map((part) => ({ ...part, items: 1 }));

/** Generates a message with up to three of the fields that `step` names, or one of a oneof. */
function messageOf(step: Step, below: fc.Arbitrary<Part>): fc.Arbitrary<Part> {
  const names = Object.keys(step);
  const isOneof = names.length > 1;
  const parts = fc.array(below, { minLength: isOneof ? 1 : 0, maxLength: isOneof ? 1 : 3 });
  return fc.tuple(fc.constantFrom(...names), parts, around, around).map((drawn) => {
    const [name, held, before, after] = drawn;
    const fields = held.flatMap(({ encoded }) => bytesField(step[name]!, encoded));
    const values = held.map(({ json }) => json);
    return {
      encoded: [...before.encoded, ...fields, ...after.encoded],
      json: { ...before.json, [name]: isOneof ? values[0] : values, ...after.json },
      items: held.reduce((sum, { items }) => sum + items, 0),
    };
  });
}

function requestOf(steps: readonly Step[]): fc.Arbitrary<SignalRequest> {
  const whole = steps.reduceRight((below, step) => messageOf(step, below), item);
  return whole.map(({ encoded, json, items }) => ({
    encoded: Uint8Array.from(encoded),
    json: JSON.stringify(json),
    items,
  }));
}

export const signalRequests = {
  metrics: requestOf(METRICS_STEPS),
  logs: requestOf(LOGS_STEPS),
} as const;

/** Three data points in two metrics, and three log records in two scopes. */
export const THREE_ITEMS = {
  metrics: {
    encoded: Uint8Array.from(
      bytesField(
        1,
        bytesField(
          2,
          bytesField(2, bytesField(1, "a"), bytesField(5, bytesField(1), bytesField(1))),
          bytesField(2, bytesField(1, "b"), bytesField(9, bytesField(1, fixed64Field(3, 1n)))),
        ),
      ),
    ),
    json: JSON.stringify({
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                { name: "a", gauge: { dataPoints: [{ asInt: "1" }, {}] } },
                { name: "b", histogram: { dataPoints: [{ count: "1" }] } },
              ],
            },
          ],
        },
      ],
    }),
    jsonName: "rejectedDataPoints",
  },
  logs: {
    encoded: Uint8Array.from(
      bytesField(
        1,
        bytesField(2, bytesField(2, bytesField(3, "INFO")), bytesField(2)),
        bytesField(2, bytesField(2)),
      ),
    ),
    json: JSON.stringify({
      resourceLogs: [
        { scopeLogs: [{ logRecords: [{ severityText: "INFO" }, {}] }, { logRecords: [{}] }] },
      ],
    }),
    jsonName: "rejectedLogRecords",
  },
} as const;
