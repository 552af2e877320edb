import { describe, expect, test } from "bun:test";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import { UnfinishedRequests } from "../../../src/adapters/otlp-grpc/unfinished-requests.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { countsOf } from "../../support/fakes/problem-totals.ts";
import { EXPORT_PATH } from "../../support/grpc/grpc-call.ts";
import type { GrpcRawPeer } from "../../support/grpc/grpc-raw-peer.ts";
import { callHeaders, FLAG, frame, FRAME, messagePrefix } from "../../support/grpc/grpc-wire.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../../support/running/running-grpc-listener.ts";

stopGrpcListenersAfterEach();

const REQUEST_MS = 10_000;

function createRequests() {
  const clock = new HandMovedClock();
  const requests = new UnfinishedRequests({ requestMs: REQUEST_MS }, clock);
  const expired: string[] = [];
  const add = (name: string, receivedBytes: number) => {
    const expire = () => void expired.push(name);
    const request = { startedMs: clock.monotonicMs(), receivedBytes, expire };
    requests.add(request);
    return request;
  };
  return { clock, requests, expired, add };
}

describe("a request is expired", () => {
  test("after the time for a request, however much has arrived", () => {
    const { clock, expired, add } = createRequests();
    add("large", 1e9);

    clock.moveMs(REQUEST_MS - 1);
    const before = [...expired];
    clock.moveMs(1);

    expect([before, expired]).toEqual([[], ["large"]]);
  });

  test("after two seconds if less than 1 KiB a second has arrived", () => {
    const { clock, expired, add } = createRequests();
    add("slow", 2 * 1024 - 1);
    add("enough", 2 * 1024);

    clock.moveMs(1_999);
    const before = [...expired];
    clock.moveMs(1);

    expect([before, expired]).toEqual([[], ["slow"]]);
  });

  test("when its rate falls below that later", () => {
    const { clock, expired, add } = createRequests();
    const request = add("slower", 3 * 1024);
    clock.moveMs(3_000);
    const before = [...expired];

    request.receivedBytes += 511;
    clock.moveMs(500);

    expect([before, expired]).toEqual([[], ["slower"]]);
  });
});

test("a request that is complete is not expired", () => {
  const { clock, requests, expired, add } = createRequests();
  requests.remove(add("complete", 0));

  clock.moveMs(2 * REQUEST_MS);

  expect(expired).toEqual([]);
});

test("nothing is expired or scheduled after the end", () => {
  const { clock, requests, expired, add } = createRequests();
  add("late", 0);

  requests[Symbol.dispose]();
  clock.moveMs(2 * REQUEST_MS);

  expect(expired).toEqual([]);
  expect(clock.pendingActions).toBe(0);
});

/** Opens a call with three bytes of a prefix. */
function beginCall(peer: GrpcRawPeer, streamId: number): void {
  peer.send(
    frame({ type: FRAME.headers, flags: FLAG.endHeaders, streamId }, callHeaders(EXPORT_PATH)),
    frame({ type: FRAME.data, streamId }, messagePrefix(0).subarray(0, 3)),
  );
}

/** Sends an empty request, and waits for the answer. */
async function exportOn(peer: GrpcRawPeer, streamId: number): Promise<void> {
  beginCall(peer, streamId);
  peer.send(frame({ type: FRAME.data, streamId, flags: FLAG.endStream }, Buffer.alloc(2)));
  await peer.frame(({ type, streamId: on }) => type === FRAME.headers && on === streamId);
}

async function heard(peer: GrpcRawPeer): Promise<void> {
  peer.send(frame({ type: FRAME.ping }, Buffer.alloc(8)));
  await peer.frame(({ type, flags }) => type === FRAME.ping && flags === FLAG.acknowledge);
}

async function runWithClock() {
  const clock = new HandMovedClock();
  const budget = new InFlightBudget({ capacityBytes: 2 ** 26, clock });
  const run = await runGrpcListener({ clock, budget });
  return { clock, ...run };
}

describe("a message that arrives too slowly", () => {
  test("closes a connection that has sent no other", async () => {
    const { clock, peer, problems } = await runWithClock();
    const slow = peer().greet();
    beginCall(slow, 1);
    await heard(slow);

    clock.moveMs(2_000);
    await slow.ended;

    expect(countsOf(problems)).toEqual({ request_timeout: 1 });
  });

  test("ends only its call on a connection that has sent others", async () => {
    const { clock, peer, problems } = await runWithClock();
    const used = peer().greet();
    await exportOn(used, 1);
    beginCall(used, 3);
    await heard(used);

    clock.moveMs(2_000);
    const reset = await used.frame(({ type }) => type === FRAME.resetStream);
    await exportOn(used, 5);

    expect(reset.streamId).toBe(3);
    expect(countsOf(problems)).toEqual({ request_timeout: 1 });
  });
});

describe("a new connection when all are taken", () => {
  test.each([
    { name: "all in all", limits: { connections: 2 } },
    { name: "by its address", limits: { connectionsPerAddress: 2 } },
  ])("takes the place of the oldest without a message: $name", async ({ limits }) => {
    const { peer, listener, problems } = await runGrpcListener({ limits });
    const [used, unfinished] = [peer(), peer()];
    await exportOn(used.greet(), 1);
    beginCall(unfinished.greet(), 1);
    await heard(unfinished);

    await exportOn(peer().greet(), 1);
    await unfinished.ended;
    await exportOn(used, 3);

    expect(listener.counts().openConnections).toBe(2);
    expect(Object.values(countsOf(problems))).toEqual([1]);
  });
});
