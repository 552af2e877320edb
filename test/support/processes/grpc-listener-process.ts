import { zeroAmounts } from "../../../src/domain/receipt.ts";
import { startGrpcListener } from "../../../src/adapters/otlp-grpc/grpc-listener.ts";
import { FairTurns } from "../../../src/adapters/listening/fair-turns.ts";
import { InFlightBudget } from "../../../src/adapters/memory/in-flight-budget.ts";
import { countsOf, recordingProblems } from "../fakes/problem-totals.ts";
import { RecordingLogger } from "../fakes/recording-logger.ts";
import { GRPC_TEST_LIMITS } from "../running/running-grpc-listener.ts";
import { SYSTEM_CLOCK } from "../../../src/adapters/clock/system-clock.ts";

/**
 * A listener that discards requests, in its own process, so that its memory can be measured. It
 * prints its port and, when its standard input ends, its counts and peak memory.
 */
const logger = new RecordingLogger();
const problems = recordingProblems(logger);
const listener = await startGrpcListener({
  address: { host: "127.0.0.1", port: 0 },
  receiver: { receive: () => ({ outcome: "accepted", amounts: zeroAmounts() }) },
  limits: GRPC_TEST_LIMITS,
  budget: new InFlightBudget({
    capacityBytes: 32 * 1024 * 1024,
    clock: { monotonicMs: () => performance.now() },
  }),
  turns: new FairTurns(SYSTEM_CLOCK),
  maxMessageBytes: 4 * 1024 * 1024,
  logger,
  problems,
  // No request is too slow.
  clock: { ...SYSTEM_CLOCK, repeat: () => () => {} },
});
// Not `resourceUsage().maxRSS`: on Linux, a process starts with the peak of its parent.
let peakBytes = 0;
const sampling = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
}, 5);
process.stdout.write(`${listener.port}\n`);

await Bun.stdin.text();
const closedConnections = countsOf(problems).in_flight_bytes ?? 0;
await listener.stop(0);
clearInterval(sampling);
process.stdout.write(`${JSON.stringify({ closedConnections, peakBytes })}\n`);
