import { expect, test } from "bun:test";
import { failureText, receivedText } from "../../../../src/adapters/cli/run/run-report.ts";
import { countSpans } from "../../../../src/application/count-spans.ts";
import { type Expectation, readExpectation } from "../../../../src/domain/query/expectation.ts";
import { request, requestOf, resourceSpans, span } from "../../../support/request-bytes.ts";
import { named, searchedRing } from "../../../support/searched-ring.ts";

const expectation = readExpectation("service=shop & name=no", 0n) as Expectation;

test("what is missing is told with what there is without the last condition", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(2));
  const seen = await countSpans(buffer, named("no"));
  const nearest = { without: "name=no", ...(await countSpans(buffer, [])) };

  const { lines, spans } = failureText({ expectation, isMet: false, seen, nearest });

  expect(lines).toEqual(["seen: 0 spans", "without name=no there are 2 spans"]);
  expect(spans.map(({ name, service }) => [name, service])).toEqual([
    ["span 2", "shop"],
    ["span 1", "shop"],
  ]);
});

test("what should not be there is shown", async () => {
  const { buffer, arrive } = searchedRing();
  arrive(requestOf(1));

  const seen = await countSpans(buffer, []);
  const { lines, spans } = failureText({ expectation, isMet: false, seen });

  expect(lines).toEqual(["seen: 1 span"]);
  expect(spans.map(({ name }) => name)).toEqual(["span 1"]);
});

test("what came in at all is told by service, the busiest first", () => {
  const { buffer, arrive } = searchedRing();
  arrive(request(resourceSpans("cart", span(1))), requestOf(3));

  expect(receivedText(buffer)).toBe("4 spans received, by service: shop 3, cart 1");
});

test("of many services the first ten are named", () => {
  const { buffer, arrive } = searchedRing();
  for (let number = 1; number <= 12; number += 1) {
    arrive(request(resourceSpans(`s${number}`, span(number))));
  }

  expect(receivedText(buffer)).toEndWith("s10 1, and more");
});

test("nothing at all is told as such", () => {
  expect(receivedText(searchedRing().buffer)).toBe("no span was received at all");
});
