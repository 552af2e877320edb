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
  ])("as $name costs nothing when an empty request is refused as well", async (given) => {
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

  test("says nothing when the upstream is gone before it takes an empty request", async () => {
    const end = await delivered({ sink: answering(() => INVALID), probed: () => BUSY });

    expect(end.failures).toMatchObject([{ message: "busy", isRefusal: false }]);
    expect(end.ledger.buffered).toBe(6);
  });

  test("for a reason that is gone meanwhile costs nothing: the batch is sent again", async () => {
    const answers = [FORBIDDEN, DELIVERED];

    const end = await delivered({ sink: answering(() => answers.shift()!) });

    expect(end.events).toEqual(["sent 6: blocked", "sent 6: delivered", "delivered 6"]);
    expect(end.failures).toEqual([]);
  });
});

describe("a span that is refused alone", () => {
  test.each([1, 2, 3, 4, 5, 6])("number %d, is lost, and no other", async (number) => {
    const sink = refusing([`span ${number}`]);

    const { ledger, events, failures } = await delivered({ sink });

    expect(ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
    expect(events).toContain("undeliverable 1: invalid, 400");
    expect(failures).toEqual([]);
    expect(
      new Set(sink.sent.filter(({ spanCount }) => spanCount === 1).flatMap(namesOf)),
    ).toContain(`span ${number}`);
  });

  test("is lost also when something in between refuses it", async () => {
    const { ledger, events } = await delivered({ sink: refusing(["span 4"], FORBIDDEN) });

    expect(ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
    expect(events).toContain("undeliverable 1: forbidden, 403");
  });

  test("by a route that is down in the last try too is kept until it is taken", async () => {
    // 6, 3, 3, 2, 1, and that one five times more.
    const [no, yes] = [FORBIDDEN, DELIVERED];
    const answers = [no, no, yes, no, yes, no, yes, no, no, no, no, yes];

    const end = await delivered({ sink: answering(() => answers.shift() ?? yes) });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
  });

  test("by a route that is down, and with it an empty request, stays buffered", async () => {
    const sink = refusing(["span 4"], FORBIDDEN);
    const probes = [DELIVERED, DELIVERED];

    const end = await delivered({ sink, probed: () => probes.shift() ?? FORBIDDEN });

    expect(end.ledger).toEqual({ buffered: 2, delivered: 4, undeliverable: 0 });
    expect(end.failures).toHaveLength(1);
  });

  test("and is taken when it is tried once more, is not lost", async () => {
    // 6, 3, 3, 2, 1, and that one again.
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
      name: "an empty request, where no other span is there",
      witnessed: undefined,
      probes: [DELIVERED, BUSY],
      extraSends: ["probe", "witness", "probe"],
    },
  ])("is not lost as long as $name has not been taken after it", async (given) => {
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

  test("is not alone as long as a message without spans comes with it", async () => {
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
/** Spans from 1 on; those of these numbers hold text that is not UTF-8. */
function spansWith(count: number, invalid: readonly number[]): Uint8Array<ArrayBuffer> {
  const spans = Array.from({ length: count }, (_, at) =>
    invalid.includes(at + 1) ? span(at + 1, INVALID_TEXT) : span(at + 1),
  );
  return request(resourceSpans("shop", ...spans));
}

describe("text that is not UTF-8", () => {
  test("is found at once: two requests do, however many spans there are", async () => {
    const sink = refusing(["span 77"]);

    const end = await delivered({ sink, spans: spansWith(200, [77]) });

    expect(sink.sent.map(({ spanCount }) => spanCount)).toEqual([200, 199, 1]);
    expect(end.ledger).toEqual({ buffered: 0, delivered: 199, undeliverable: 1 });
    expect(end.extraSends).toEqual(["probe", "probe"]);
  });

  test("in all spans takes few requests as well, and no other span has to be taken", async () => {
    const all = Array.from({ length: 200 }, (_, at) => at + 1);
    const sink = answering(() => INVALID);

    const end = await delivered({ sink, spans: spansWith(200, all), witnessed: () => INVALID });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 0, undeliverable: 200 });
    expect(sink.sent.length).toBeLessThan(20);
    expect(end.extraSends).toEqual(["probe", "probe"]);
  });

  test("is no reason for an upstream that takes it", async () => {
    const sink = refusing(["span 2"]);

    const end = await delivered({ sink, spans: spansWith(9, [1, 4, 7]) });

    expect(end.ledger).toEqual({ buffered: 0, delivered: 8, undeliverable: 1 });
  });
});

describe("an upstream that takes empty requests and refuses all spans costs none", () => {
  test("after a few refusals, a span outside the batch is sent", async () => {
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

  test("also if there is no other span to send", async () => {
    const sink = answering(() => INVALID);

    const end = await delivered({ sink, witnessed: () => undefined });

    expect(end.ledger).toEqual({ buffered: 6, delivered: 0, undeliverable: 0 });
    expect(end.failures).toMatchObject([{ isRefusal: true }]);
  });

  test("and so it is when it comes to do so in the middle", async () => {
    const answers = [INVALID, INVALID, DELIVERED];

    const end = await delivered({
      sink: answering(() => answers.shift() ?? INVALID),
      spans: requestOf(64),
      witnessed: () => INVALID,
    });

    expect(end.ledger).toEqual({ buffered: 48, delivered: 16, undeliverable: 0 });
  });
});

test("spans in a row that are refused are lost when another one is taken", async () => {
  const refused = Array.from({ length: 9 }, (_, at) => `span ${at + 1}`);

  const end = await delivered({ sink: refusing(refused), spans: requestOf(9) });

  expect(end.ledger).toEqual({ buffered: 0, delivered: 0, undeliverable: 9 });
  expect(end.failures).toEqual([]);
});

test("without another one, those of the same batch will do", async () => {
  const sink = refusing(["span 1", "span 2", "span 3", "span 6"]);

  const end = await delivered({ sink, witnessed: () => undefined });

  expect(end.ledger).toEqual({ buffered: 0, delivered: 2, undeliverable: 4 });
});

describe("the only span there is, which is refused", () => {
  test("is lost when the upstream has taken one before; and that counts once", async () => {
    const given = { spans: requestOf(1), witnessed: () => undefined };
    const sink = answering(() => INVALID);

    const first = await delivered({ ...given, sink, takesSpans: true });
    const next = await delivered({ ...given, sink, takesSpans: first.takesSpans });

    expect([first.ledger.undeliverable, first.failures]).toEqual([1, []]);
    expect([next.ledger.buffered, next.failures.length]).toEqual([1, 1]);
  });

  test("is alone in that: others that were refused with it wait", async () => {
    const given = { spans: requestOf(5), witnessed: () => undefined };

    const end = await delivered({ ...given, sink: answering(() => INVALID), takesSpans: true });

    expect(end.ledger).toEqual({ buffered: 4, delivered: 0, undeliverable: 1 });
    expect(end.failures).toEqual([]);
  });
});

test("forwarding waits for an upstream that is down when another span is sent", async () => {
  const end = await delivered({ sink: answering(() => INVALID), witnessed: () => BUSY });

  expect(end.ledger.buffered).toBe(6);
  expect(end.failures).toMatchObject([{ message: "busy", isRefusal: false }]);
});

test("a batch whose parts are all taken was too large, under another name", async () => {
  const sink = answering(({ spanCount }) => (spanCount > 2 ? INVALID : DELIVERED));

  const { events, ledger } = await delivered({ sink });

  expect(ledger).toEqual({ buffered: 0, delivered: 6, undeliverable: 0 });
  expect(events.at(-1)).toBe("too large 3");
});

test("a batch that is full of refused spans is left to the next after some requests", async () => {
  const refused = Array.from({ length: 500 }, (_, at) => `span ${2 * at}`);
  const sink = refusing(refused);

  const { ledger, failures } = await delivered({ sink, spans: requestOf(1_000) });

  expect(sink.sent.length).toBeLessThan(200);
  expect(failures).toEqual([]);
  expect(ledger.delivered).toBeGreaterThan(10);
  expect(ledger.undeliverable).toBeGreaterThan(10);
  expect(ledger.buffered).toBe(1_000 - ledger.delivered - ledger.undeliverable);
});

test("after an empty request has been answered, none is sent for a refusal", async () => {
  const end = await delivered({ sink: refusing(["span 1"]), isProbed: true });

  expect(end.extraSends).toEqual([]);
  expect(end.events.filter((each) => each.startsWith("sent 6"))).toHaveLength(1);
  expect(end.ledger).toEqual({ buffered: 0, delivered: 5, undeliverable: 1 });
});
