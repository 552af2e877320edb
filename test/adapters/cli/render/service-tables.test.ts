import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import { dateText } from "../../../../src/adapters/cli/output/quantities.ts";
import {
  operationsTable,
  servicesTable,
} from "../../../../src/adapters/cli/render/service-tables.ts";
import { BEGAN_NANO } from "../../../support/requests/shown-spans.ts";

const LEDGER = {
  received: 1_234,
  rejected: 1,
  accepted: 1_233,
  buffered: 1_000,
  taken: 33,
  delivered: 100,
  evicted: 100,
  undeliverable: 0,
};
const LAST_SEEN = "2025-07-20T08:26:40.123Z";
const SHOP = { service: "shop", spans: LEDGER, bytes: LEDGER, lastSeen: LAST_SEEN };
const time = dateText(BEGAN_NANO).slice(0, -4);

const GET = {
  service: "shop",
  name: "GET /orders/{id}",
  spans: 1_234,
  errors: 3,
  spansPerSecond: 2.345,
  p50Nano: 1_500_000,
  p95Nano: 12_300_000.4,
  p99Nano: 99_000_000,
  lastSeen: LAST_SEEN,
};
const UNTIMED = {
  ...GET,
  service: "till",
  name: "pay",
  spans: 1,
  errors: 0,
  spansPerSecond: null,
  p50Nano: null,
  p95Nano: null,
  p99Nano: null,
  lastSeen: null,
};

test("services are listed in 80 columns, and with all counters in 200", () => {
  expect(servicesTable([SHOP], 80, PLAIN)).toEqual([
    "SERVICE  BUFFERED  RECEIVED  REJECTED  EVICTED  LAST SEEN",
    `shop        1,000     1,234         1      100  ${time}`,
  ]);
  expect(servicesTable([SHOP], 200, PLAIN)).toEqual([
    "SERVICE  BUFFERED  RECEIVED  REJECTED  EVICTED  DELIVERED  TAKEN  LAST SEEN",
    `shop        1,000     1,234         1      100        100     33  ${time}`,
  ]);
});

test("operations are listed in 80 columns, and with rates and times in 200", () => {
  expect(operationsTable([GET, UNTIMED], 80, PLAIN)).toEqual([
    "SERVICE  OPERATION         SPANS  ERRORS      P50      P95      P99",
    "shop     GET /orders/{id}  1,234       3  1.50 ms  12.3 ms  99.0 ms",
    "till     pay                   1          unknown  unknown  unknown",
  ]);
  expect(operationsTable([GET, UNTIMED], 200, PLAIN)).toEqual([
    "SERVICE  OPERATION         SPANS     RATE  ERRORS      P50      P95      P99  LAST SEEN",
    `shop     GET /orders/{id}  1,234   2.35/s       3  1.50 ms  12.3 ms  99.0 ms  ${time}`,
    "till     pay                   1  unknown          unknown  unknown  unknown  unknown",
  ]);
});

test.each([60, 80, 110, 200])(
  "no line is wider than %d columns, however long the name",
  (columns) => {
    const long = { ...GET, name: "GET /a/very/long/path".repeat(9) };

    const lines = operationsTable([long, UNTIMED], columns, PLAIN);

    expect(lines.filter((line) => Bun.stringWidth(line) > Math.max(columns, 64))).toEqual([]);
  },
);
