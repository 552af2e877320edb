import { expect, test } from "bun:test";
import { PLAIN } from "../../../../src/adapters/cli/output/palette.ts";
import {
  nameLines,
  receivedText,
  summariseReceived,
} from "../../../../src/adapters/cli/run/run-report.ts";
import { LoggedBuffer } from "../../../../src/application/ring/logged-buffer.ts";
import { countSpans } from "../../../../src/application/querying/query-spans.ts";
import type { Expectation } from "../../../../src/domain/expectation/expectation.ts";
import { readExpectation } from "../../../../src/domain/expectation/read-expectation.ts";
import { exporterCounts } from "../../../support/fakes/exporter-counts.ts";
import { RecordingLogger } from "../../../support/fakes/recording-logger.ts";
import {
  request,
  requestOf,
  resourceSpans,
  span,
} from "../../../support/requests/request-bytes.ts";
import { named, searchedRing } from "../../../support/running/searched-ring.ts";

const expectation = readExpectation("service=shop & name=no", 0n) as Expectation;

test("received spans are reported by service, largest count first", () => {
  const { buffer, arrive } = searchedRing();
  arrive(request(resourceSpans("cart", span(1))), requestOf(3));

  expect(receivedText(buffer)).toBe("4 spans received, by service: shop 3, cart 1");
});

test("at most ten services are named", () => {
  const { buffer, arrive } = searchedRing();
  for (let number = 1; number <= 12; number += 1) {
    arrive(request(resourceSpans(`s${number}`, span(number))));
  }

  expect(receivedText(buffer)).toEndWith("s10 1, and more");
});

test.each([
  { name: "not met by any span", isMet: false, count: 0, areNamed: true },
  { name: "not met because of too many spans", isMet: false, count: 2, areNamed: false },
  { name: "met without spans", isMet: true, count: 0, areNamed: false },
])(
  "span names are listed ($areNamed) for an expectation that is $name",
  async ({ isMet, count, areNamed }) => {
    const { buffer, arrive } = searchedRing();
    arrive(requestOf(1));
    const seen = { ...(await countSpans(buffer, named("no"))), count };

    const logged = new LoggedBuffer(buffer, new RecordingLogger());
    const receiver = { buffer: logged, problems: () => [], exporters: () => exporterCounts() };
    const { names } = await summariseReceived(receiver, [{ expectation, isMet, seen, wrong: 0 }]);

    expect(names !== undefined).toBe(areNamed);
  },
);

test("names are escaped and listed in columns, most frequent first", () => {
  const names = [
    { service: "shop", name: "GET /\u001b[2J", spanCount: 1_234 },
    { service: "a-service-of-a-rather-long-name", name: "x".repeat(99), spanCount: 2 },
    ...Array.from({ length: 9 }, (_, index) => ({ service: "s", name: `${index}`, spanCount: 1 })),
  ];

  const lines = nameLines({ operations: names, otherSpanCount: 4 }, 50, PLAIN);

  expect(lines.slice(0, 4)).toEqual([
    "   SPANS  SERVICE               NAME",
    "   1,234  shop                  GET /\\x1b[2J",
    "       2  a-service-of-a-rath…  xxxxxxxxxxxxxxxxx…",
    "       1  s                     0",
  ]);
  expect(lines.slice(11)).toEqual(["       5                        other names"]);
});

test("the list of names is empty without spans", () => {
  expect(nameLines({ operations: [], otherSpanCount: 0 }, 80, PLAIN)).toEqual([]);
});

test("a report without spans says that no span was received", () => {
  expect(receivedText(searchedRing().buffer)).toBe("no span was received");
});
