import { expect, test } from "bun:test";
import { AnswerBudget } from "../../../src/adapters/http/answer-budget.ts";
import { FakeSpanReader } from "../../support/fake-span-reader.ts";
import { largeRequest } from "../../support/large-request.ts";
import { runReadApi, stopReadApisAfterEach } from "../../support/running-read-api.ts";

stopReadApisAfterEach();

test("there is room until as much is held as the budget allows", () => {
  const budget = new AnswerBudget(10);

  const release = budget.hold(9);
  expect(budget.hasRoom()).toBe(true);
  budget.hold(1);
  expect(budget.hasRoom()).toBe(false);
  release();
  expect(budget.hasRoom()).toBe(true);
});

test("while a reader keeps its answer waiting, the next one is asked to come back", async () => {
  const buffer = Object.assign(new FakeSpanReader(5), { peek: largeRequest });
  const { request } = runReadApi({ buffer, answerBudgetBytes: 1 });
  const headers = { Accept: "application/x-protobuf" };

  const waiting = await request("/api/spans", { headers });
  const refused = await request("/api/spans/take", { method: "POST" });

  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).toBe("1");
  expect(await refused.json()).toMatchObject({ title: "Service Unavailable" });
  expect(buffer.size).toBe(5);

  await waiting.bytes();
  const answered = await request("/api/spans/take", { method: "POST" });

  expect(answered.status).toBe(200);
});
