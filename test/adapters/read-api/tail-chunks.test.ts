import { expect, test } from "bun:test";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";
import { AnswerBudget } from "../../../src/adapters/read-api/answer-budget.ts";
import { TAIL_FORMS, tailChunks, withBeats } from "../../../src/adapters/read-api/tail-answer.ts";
import type { TailPiece } from "../../../src/application/waiting/tail-spans.ts";
import { DrivenClock } from "../../support/fakes/driven-clock.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";

const LINES = TAIL_FORMS["application/x-ndjson"];
const runId = "a1";
const EVENTS = TAIL_FORMS["text/event-stream"];

test("the bytes of a piece are charged until all of it is consumed", async () => {
  const budget = new AnswerBudget(1);
  const held = budget.begin();
  const chunks = tailChunks(inOrder(piece(1), piece(2)), { form: LINES, held, runId });
  held.hold(1);

  expect(await nextText(chunks)).toContain('"span 1"');
  expect(budget.hasRoom()).toBe(false);
  await nextText(chunks);
  expect(budget.hasRoom()).toBe(true);
});

test("the memory of a piece is freed when all of it is consumed", async () => {
  const held = new AnswerBudget(1).begin();
  const [first, second] = [piece(1), piece(2)];
  const chunks = tailChunks(inOrder(first, second), { form: LINES, held, runId });

  await nextText(chunks);
  const before = first.request.length;
  await nextText(chunks);

  expect([before > 0, first.request.length, second.request.length > 0]).toEqual([true, 0, true]);
});

test("the memory and the charge of a piece end when the reader has gone", async () => {
  const budget = new AnswerBudget(1);
  const held = budget.begin();
  const only = piece(1);
  const tail = tailChunks(inOrder(only), { form: LINES, held, runId });
  const chunks = withBeats(tail, LINES, { clock: SYSTEM_CLOCK, everyMs: 60_000 });
  held.hold(1);
  await nextText(chunks);
  await nextText(chunks);

  await chunks.return();

  expect([only.request.length, budget.hasRoom()]).toEqual([0, true]);
});

test("the count of missed spans precedes a piece, and includes those without room", async () => {
  const held = new AnswerBudget(1).begin();
  const pieces = inOrder({ ...piece(9), missedSpans: 3 });
  const chunks = tailChunks(pieces, { form: LINES, held, runId });
  held.refuse(4);

  expect(await nextText(chunks)).toBe('{"missed":7}\n');
  expect(await nextText(chunks)).toContain('"span 9"');
  expect(await nextText(chunks)).toBeUndefined();
});

const BEAT_MS = 15_000;

test("a beat is written first, and then after each silence", async () => {
  const clock = new DrivenClock();
  const arrival = Promise.withResolvers<void>();
  const chunks = withBeats(textsAfter(arrival.promise, "late"), EVENTS, {
    clock,
    everyMs: BEAT_MS,
  });
  const first = await nextText(chunks);

  const second = nextText(chunks);
  clock.moveMs(BEAT_MS);
  const third = [await second, nextText(chunks)] as const;
  clock.moveMs(BEAT_MS - 1);
  arrival.resolve();

  expect([first, third[0], await third[1]]).toEqual([":\n\n", ":\n\n", "late"]);
  expect(await nextText(chunks)).toBeUndefined();
});

test("a chunk without a silence before it is not preceded by a beat", async () => {
  const chunks = withBeats(textsAfter(Promise.resolve(), "a", "b"), LINES, {
    clock: SYSTEM_CLOCK,
    everyMs: 60_000,
  });

  const texts = [await nextText(chunks), await nextText(chunks), await nextText(chunks)];

  expect(texts).toEqual(["\n", "a", "b"]);
});

test("a chunk cancels the sleep for its beat", async () => {
  const clock = new DrivenClock();
  const texts = textsAfter(Promise.resolve(), "a", "b");
  const chunks = withBeats(texts, LINES, { clock, everyMs: BEAT_MS });

  while ((await nextText(chunks)) !== undefined);

  expect(clock.sleepsMs).toEqual([]);
});

function piece(number: number): TailPiece {
  return { request: requestOf(1, number), sequences: [number], missedSpans: 0 };
}

async function* inOrder(...pieces: TailPiece[]): AsyncGenerator<TailPiece> {
  yield* pieces;
}

async function* textsAfter(arrival: Promise<void>, ...texts: string[]) {
  await arrival;
  for (const text of texts) yield new TextEncoder().encode(text);
}

async function nextText(chunks: AsyncIterator<Uint8Array>): Promise<string | undefined> {
  const { done, value } = await chunks.next();
  return done === true ? undefined : new TextDecoder().decode(value as Uint8Array);
}
