import { describe, expect, test } from "bun:test";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { forwarding, ledgerOfRun, settled } from "../../support/upstreams/forwarding.ts";

describe("an upstream that is asked at the start", () => {
  const MISSING: SendOutcome = {
    outcome: "blocked",
    reason: "not_found",
    message: "no topic",
    hint: "create it",
  };

  test("is connected before any span arrives", async () => {
    const run = forwarding({ asksAtStart: true });
    run.forwarder.start();
    await settled();

    expect(run.forwarder.status().state).toBe("connected");
    expect(run.sink.sent.map(({ spanCount }) => spanCount)).toEqual([0]);
  });

  test("is not asked unless the settings say so", async () => {
    const run = forwarding({});
    run.forwarder.start();
    await settled();

    expect(run.sink.sent).toEqual([]);
    expect(run.forwarder.status().state).toBe("untried");
  });

  test("shows what is missing, and is asked again until it is there", async () => {
    const answers = [MISSING, MISSING];
    const run = forwarding({
      asksAtStart: true,
      answer: () => answers.shift() ?? { outcome: "delivered" },
    });
    run.forwarder.start();
    await settled();

    const blocked = run.logger.lines.find(({ event }) => event === "forward_blocked");
    expect(blocked?.fields).toMatchObject({ error: "no topic", hint: "create it" });
    expect(run.forwarder.status().state).toBe("connected");
    expect(run.sink.sent).toHaveLength(3);
  });

  test("delays no stop while something is missing", async () => {
    const run = forwarding({ asksAtStart: true, answer: () => "held" });
    run.forwarder.start();
    await settled();
    const [{ settle }] = run.sink.held as [(typeof run.sink.held)[number]];
    const stopping = run.forwarder.stop(5_000);
    settle(MISSING);

    await stopping;

    expect(run.sink.sent).toHaveLength(1);
  });

  test("gets the spans that wait once it accepts an empty request", async () => {
    let isThere = false;
    const run = forwarding({
      asksAtStart: true,
      answer: () => (isThere ? { outcome: "delivered" } : "held"),
    });
    run.forwarder.start();
    await settled();
    isThere = true;
    for (const { settle } of run.sink.held.slice()) settle(MISSING);
    run.arrive(requestOf(3));
    await settled();

    expect(ledgerOfRun(run)).toMatchObject({ delivered: 3, buffered: 0 });
  });
});
