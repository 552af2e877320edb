import { expect, test } from "bun:test";
import { blockBetween, startBlockProbe } from "./block-probe.ts";

const at = (cpuMs: number, waitedMs: number) => ({
  probed: { cpuMs, waitedMs: 0 },
  own: { cpuMs: 0, waitedMs },
});

test.each([
  { name: "the processor time of the probed thread", before: at(10, 5), after: at(60, 5), is: 50 },
  { name: "less what the probe has waited", before: at(10, 5), after: at(60, 35), is: 20 },
])("a block is $name", ({ before, after, is }) => {
  expect(blockBetween(before, after)).toBe(is);
});

test("a process that has ended has no block", () => {
  expect(blockBetween(at(10, 5), at(Number.NaN, 5)) > 0).toBe(false);
});

/** Answers each request after this much processor time. */
const WORK_MS = 200;

const BLOCKED_SERVER = `
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => {
    const startUs = process.cpuUsage().user;
    while (process.cpuUsage().user - startUs < ${WORK_MS * 1000});
    console.log("answered");
    return new Response();
  }});
  console.log(server.port);
`;

test("the probe of a process whose requests are slow reports a block", async () => {
  await using child = Bun.spawn([process.execPath, "-e", BLOCKED_SERVER], { stdout: "pipe" });
  const lines = linesOf(child.stdout);
  const port = Number(await lines());
  await using probe = startBlockProbe(child.pid, port);

  for (let answered = 0; answered < 5; answered += 1) await lines();

  expect(await probe.stop()).toBeGreaterThan(0);
});

/** Returns a function that reads the next line. */
function linesOf(stdout: ReadableStream<Uint8Array>): () => Promise<string | undefined> {
  const reader = stdout.getReader();
  const lines: string[] = [];
  return async () => {
    while (lines.length === 0) {
      const { value } = await reader.read();
      lines.push(...new TextDecoder().decode(value).trim().split("\n"));
    }
    return lines.shift();
  };
}
