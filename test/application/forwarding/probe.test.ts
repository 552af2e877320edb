import { expect, test } from "bun:test";
import { Probe } from "../../../src/application/forwarding/forward-all.ts";
import { FakeSink } from "../../support/fakes/fake-sink.ts";
import { NEVER, nextTurn } from "../../support/running/searched-ring.ts";

test("a probe sends an empty request without spans", async () => {
  const sink = new FakeSink();

  expect(await new Probe(sink, NEVER).ask()).toEqual({ outcome: "delivered" });
  expect(sink.sent).toEqual([{ request: new Uint8Array(0), spanCount: 0 }]);
});

test("concurrent callers share one probe, and a later caller starts another", async () => {
  const sink = new FakeSink(() => "held");
  const probe = new Probe(sink, NEVER);
  const pending = [probe.ask(), probe.ask()];
  await nextTurn();

  sink.held[0]!.settle({ outcome: "retry", message: "busy" });
  const answers = await Promise.all(pending);
  sink.answer = () => ({ outcome: "delivered" });

  expect(answers.map(({ outcome }) => outcome)).toEqual(["retry", "retry"]);
  expect(await probe.ask()).toEqual({ outcome: "delivered" });
  expect(sink.sent.length).toBe(2);
});

test("a probe that throws does not prevent the next one", async () => {
  let isBroken = true;
  const send = async () => {
    if (isBroken) throw new Error("a fault");
    return { outcome: "delivered" } as const;
  };
  const probe = new Probe({ send }, NEVER);

  expect(probe.ask()).rejects.toThrow("a fault");
  await nextTurn();
  isBroken = false;

  expect(await probe.ask()).toEqual({ outcome: "delivered" });
});
