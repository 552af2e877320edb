import { expect, test } from "bun:test";
import { runServer } from "../../support/running/running-server.ts";
import { pacedLoad } from "./paced-load.ts";

test("a load of a fixed rate sends until it is ended, and times every request", async () => {
  const server = await runServer({});
  const enough = Promise.withResolvers<void>();
  const load = pacedLoad(Number(server.ports.grpc), 20_000, enough.promise);
  const stats = async () => {
    const answer = await fetch(`http://127.0.0.1:${server.ports.api}/api/stats`);
    return ((await answer.json()) as { spans: { received: number } }).spans.received;
  };
  while ((await stats()) < 500) await new Promise((resolve) => void setImmediate(resolve));
  enough.resolve();

  const { spansPerSecond, requestMs } = await load;
  const received = await stats();
  await server.stop(0);

  expect(received).toBe(requestMs.length * 100);
  expect(spansPerSecond).toBeGreaterThan(0);
  expect([...requestMs]).toEqual([...requestMs].toSorted((one, other) => one - other));
});
