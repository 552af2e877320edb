import { describe, expect, test } from "bun:test";
import {
  answering,
  BUSY,
  delivered,
  DELIVERED,
  FORBIDDEN,
  INVALID,
  namesOf,
  refusing,
} from "../../support/delivered-lease.ts";
import { request, requestOf, resourceSpans, span } from "../../support/requests/request-bytes.ts";
import { bytesField } from "../../support/requests/wire-bytes.ts";

describe("a refusal", () => {
  test.each([
    { name: "invalid", refusal: INVALID, probed: INVALID, hint: "refuses even an empty request" },
    { name: "forbidden", refusal: FORBIDDEN, probed: FORBIDDEN, hint: "FORWARD_HEADERS_FILE" },
    { name: "forbidden", refusal: FORBIDDEN, probed: INVALID, hint: "even an empty request" },
  ])("as $name loses no span if an empty request is refused as well", async (given) => {
    const { refusal, probed, hint } = given;

    const end = await delivered({ sink: answering(() => refusal), probed: () => probed });

    expect(end).toMatchObject({
      extraSends: ["probe"],
      ledger: { buffered: 6, delivered: 0, undeliverable: 0 },
      failures: [
        { message: probed.message!, isRefusal: true, hint: expect.stringContaining(hint) },
      ],
    });
    expect(end.events.slice(1)).toEqual(["returned 6"]);
  });

  test("proves nothing if the upstream fails before it accepts an empty request", async () => {
    const end = await delivered({ sink: answering(() => INVALID), probed: () => BUSY });

    expect(end.failures).toMatchObject([{ message: "busy", isRefusal: false }]);
    expect(end.ledger.buffered).toBe(6);
  });

  test("that an empty request does not confirm is followed by the batch again", async () => {
    const answers = [FORBIDDEN, DELIVERED];

    const end = await delivered({ sink: answering(() => answers.shift()!) });

    expect(end.events).toEqual(["sent 6: blocked", "sent 6: delivered", "delivered 6"]);
    expect(end.failures).toEqual([]);
  });
});

describe("a span that is refused alone", () => {
  test.each([1, 2, 3, 4, 5, 6])("is lost, and no other: number %d", async (number) => {
    const sink = refusing([`span ${number}`]);

    const { ledger, events, failures } = await delivered({ sink });

    expect(ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
    expect(events).toContain("undeliverable 1: invalid, 400");
    expect(failures).toEqual([]);
    expect(
      new Set(sink.sent.filter(({ spanCount }) => spanCount === 1).flatMap(namesOf)),
    ).toContain(`span ${number}`);
  });

  test("is lost even if a proxy refuses it", async () => {
    const { ledger, events } = await delivered({ sink: refusing(["span 4"], FORBIDDEN) });

    expect(ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
    expect(events).toContain("undeliverable 1: forbidden, 403");
  });

  test("by a proxy that refuses it again stays buffered until it is accepted", async () => {
    // The batches are of 6, 3, 3, 2 and 1 spans, and the last is sent five more times.
    const [no, yes] = [FORBIDDEN, DELIVERED];
    const answers = [no, no, yes, no, yes, no, yes, no, no, no, no, yes];

    const end = await delivered({ sink: answering(() => answers.shift() ?? yes) });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
  });

  test("together with an empty request stays buffered", async () => {
    const sink = refusing(["span 4"], FORBIDDEN);
    const probes = [DELIVERED, DELIVERED];

    const end = await delivered({ sink, probed: () => probes.shift() ?? FORBIDDEN });

    expect(end.ledger).toEqual({ buffered: 2, delivered: 4, undeliverable: 0 });
    expect(end.failures).toHaveLength(1);
  });

  test("and then accepted at the next attempt is not lost", async () => {
    // The batches are of 6, 3, 3, 2 and 1 spans, and the last is sent again.
    const answers = [INVALID, DELIVERED, INVALID, DELIVERED, INVALID, DELIVERED];

    const end = await delivered({ sink: answering(() => answers.shift()!) });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
    expect(end.extraSends).toEqual(["probe", "witness"]);
  });

  test.each([
    {
      name: "another span",
      witnessed: BUSY,
      probes: [DELIVERED],
      extraSends: ["probe", "witness"],
    },
    {
      name: "an empty request, if no other span is buffered",
      witnessed: undefined,
      probes: [DELIVERED, BUSY],
      extraSends: ["probe", "witness", "probe"],
    },
  ])("is not lost until the upstream has accepted $name", async (given) => {
    const answers = [INVALID, DELIVERED, INVALID, DELIVERED, INVALID];
    const probes = [...given.probes];

    const end = await delivered({
      sink: answering(() => answers.shift()!),
      probed: () => probes.shift()!,
      witnessed: () => given.witnessed,
    });

    expect(end.extraSends).toEqual([...given.extraSends]);
    expect(end.ledger).toEqual({ buffered: 1, delivered: 5, undeliverable: 0 });
    expect(end.failures).toMatchObject([{ message: "busy", isRefusal: false }]);
  });

  test("is sent again without the messages that contain no spans", async () => {
    const empty = bytesField(1, bytesField(2, bytesField(3, [0xff])));
    const whole = request(empty, resourceSpans("shop", span(1)));
    const sink = answering(({ request: bytes }) =>
      bytes.length === whole.length ? INVALID : DELIVERED,
    );

    const { ledger } = await delivered({ sink, spans: whole });

    expect(ledger).toEqual({ buffered: 0, delivered: 1, undeliverable: 0 });
  });
});

const INVALID_TEXT = bytesField(3, [0x63, 0xe9]);
/** Returns spans numbered from 1; those of `invalid` hold text that is not UTF-8. */
function spansWith(count: number, invalid: readonly number[]): Uint8Array<ArrayBuffer> {
  const spans = Array.from({ length: count }, (_, at) =>
    invalid.includes(at + 1) ? span(at + 1, INVALID_TEXT) : span(at + 1),
  );
  return request(resourceSpans("shop", ...spans));
}

describe("text that is not UTF-8", () => {
  test("is found with two more requests, however many spans are in the batch", async () => {
    const sink = refusing(["span 77"]);

    const end = await delivered({ sink, spans: spansWith(200, [77]) });

    expect(sink.sent.map(({ spanCount }) => spanCount)).toEqual([200, 199, 1]);
    expect(end.ledger).toEqual({ buffered: 0, delivered: 199, undeliverable: 1 });
    expect(end.extraSends).toEqual(["probe", "probe"]);
  });

  test("in all spans is found with few requests, without any accepted span", async () => {
    const all = Array.from({ length: 200 }, (_, at) => at + 1);
    const sink = answering(() => INVALID);

    const end = await delivered({ sink, spans: spansWith(200, all), witnessed: () => INVALID });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 0, undeliverable: 200 });
    expect(sink.sent.length).toBeLessThan(20);
    expect(end.extraSends).toEqual(["probe", "probe"]);
  });

  test("is not lost if the upstream accepts it", async () => {
    const sink = refusing(["span 2"]);

    const end = await delivered({ sink, spans: spansWith(9, [1, 4, 7]) });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 8, undeliverable: 1 });
  });
});

describe("an upstream that accepts empty requests and refuses all spans loses none", () => {
  test("if it also refuses a span outside the batch", async () => {
    const sink = answering(() => INVALID);

    const end = await delivered({ sink, spans: requestOf(500), witnessed: () => INVALID });

    expect(end.ledger).toEqual({ buffered: 500, delivered: 0, undeliverable: 0 });
    expect(sink.sent.length).toBeLessThan(15);
    expect(end.extraSends).toEqual(["probe", "witness"]);
    expect(end.failures).toMatchObject([
      {
        message: "400",
        isRefusal: true,
        hint: expect.stringContaining("refuses the remaining spans"),
      },
    ]);
  });

  test("if no span outside the batch is buffered", async () => {
    const sink = answering(() => INVALID);

    const end = await delivered({ sink, witnessed: () => undefined });

    expect(end.ledger).toEqual({ buffered: 6, delivered: 0, undeliverable: 0 });
    expect(end.failures).toMatchObject([{ isRefusal: true }]);
  });

  test("if it begins to refuse them in the middle of a batch", async () => {
    const answers = [INVALID, INVALID, DELIVERED];

    const end = await delivered({
      sink: answering(() => answers.shift() ?? INVALID),
      spans: requestOf(64),
      witnessed: () => INVALID,
    });

    expect(end.ledger).toEqual({ buffered: 48, delivered: 16, undeliverable: 0 });
  });
});

test("refused spans in a row are lost once another span is accepted", async () => {
  const refused = Array.from({ length: 9 }, (_, at) => `span ${at + 1}`);

  const end = await delivered({ sink: refusing(refused), spans: requestOf(9) });

  expect(end.ledger).toEqual({ buffered: 0, delivered: 0, undeliverable: 9 });
  expect(end.failures).toEqual([]);
});

test("refused spans are lost once others of the same batch are accepted", async () => {
  const sink = refusing(["span 1", "span 2", "span 3", "span 6"]);

  const end = await delivered({ sink, witnessed: () => undefined });

  expect(end.ledger).toEqual({ buffered: 0, delivered: 2, undeliverable: 4 });
});

describe("the only buffered span, if refused,", () => {
  test("is lost if the upstream has accepted one before, which counts once", async () => {
    const given = { spans: requestOf(1), witnessed: () => undefined };
    const sink = answering(() => INVALID);

    const first = await delivered({ ...given, sink, takesSpans: true });
    const next = await delivered({ ...given, sink, takesSpans: first.takesSpans });

    expect([first.ledger.undeliverable, first.failures]).toEqual([1, []]);
    expect([next.ledger.buffered, next.failures.length]).toEqual([1, 1]);
  });

  test("is lost alone, and spans refused in the same batch stay buffered", async () => {
    const given = { spans: requestOf(5), witnessed: () => undefined };

    const end = await delivered({ ...given, sink: answering(() => INVALID), takesSpans: true });

    expect(end.ledger).toEqual({ buffered: 4, delivered: 0, undeliverable: 1 });
    expect(end.failures).toEqual([]);
  });
});

test("no span is lost if the upstream fails when a span outside the batch is sent", async () => {
  const end = await delivered({ sink: answering(() => INVALID), witnessed: () => BUSY });

  expect(end.ledger.buffered).toBe(6);
  expect(end.failures).toMatchObject([{ message: "busy", isRefusal: false }]);
});

test("a refused batch whose parts are all accepted is treated as too large", async () => {
  const sink = answering(({ spanCount }) => (spanCount > 2 ? INVALID : DELIVERED));

  const { events, ledger } = await delivered({ sink });

  expect(ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
  expect(events.at(-1)).toBe("too large 3");
});

test("a batch with many refused spans is returned after a limited number of requests", async () => {
  const refused = Array.from({ length: 500 }, (_, at) => `span ${2 * at}`);
  const sink = refusing(refused);

  const { ledger, failures } = await delivered({ sink, spans: requestOf(1_000) });

  expect(sink.sent.length).toBeLessThan(200);
  expect(failures).toEqual([]);
  expect(ledger.delivered).toBeGreaterThan(10);
  expect(ledger.undeliverable).toBeGreaterThan(10);
  expect(ledger.buffered).toBe(1_000 - ledger.delivered - ledger.undeliverable);
});

test("no empty request is sent for a refusal if one has just been accepted", async () => {
  const end = await delivered({ sink: refusing(["span 1"]), isProbed: true });

  expect(end.extraSends).toEqual([]);
  expect(end.events.filter((each) => each.startsWith("sent 6"))).toHaveLength(1);
  expect(end.ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
});
