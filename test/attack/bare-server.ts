/**
 * Attacks a `Bun.serve` that only reads bodies, and prints its longest blocks of the event loop:
 * what OTLP/HTTP cannot go below. `bun test/attack/bare-server.ts [NAME]...`
 */
import { startAttacker } from "./attacker-process.ts";
import { mainThreadCpuMs } from "./measure.ts";

const SECONDS = 4;
const SHOWN_BLOCKS = 3;
const PROBE_MS = 5;
const NAMES = ["http-one-byte-chunks", "http-full-bodies", "http-half-bodies", "http-rapid-reset"];

/** Collects the processor time between two turns of the timers. */
function watchBlocks(): { readonly longest: () => number[]; readonly stop: () => void } {
  const blocks: number[] = [];
  let lastMs = mainThreadCpuMs(process.pid);
  const timer = setInterval(() => {
    const nowMs = mainThreadCpuMs(process.pid);
    blocks.push(nowMs - lastMs);
    lastMs = nowMs;
  }, PROBE_MS);
  const longest = () => blocks.toSorted((one, other) => other - one).slice(0, SHOWN_BLOCKS);
  return { longest, stop: () => clearInterval(timer) };
}

async function attackBareServer(name: string): Promise<string> {
  await using server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    http2: true,
    development: false,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    fetch: async (request) => {
      await request.bytes();
      return new Response();
    },
  });
  const ports = { grpc: 0, http: server.port!, api: 0 };
  const blocks = watchBlocks();
  await using attacker = startAttacker(name, { ports, seconds: SECONDS, isShort: false });
  await attacker.received;
  blocks.stop();
  await server.stop(true);
  return blocks
    .longest()
    .map((ms) => ms.toFixed(0))
    .join(", ");
}

if (import.meta.main) {
  const [...given] = process.argv.slice(2);
  for (const name of given.length === 0 ? NAMES : given) {
    process.stdout.write(`${name}: longest blocks ${await attackBareServer(name)} ms\n`);
  }
  process.exit();
}
