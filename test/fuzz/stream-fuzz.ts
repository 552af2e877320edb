import { connect } from "node:net";
import type { Ports } from "../attack/attack-case.ts";
import { startBlockProbe } from "../attack/block-probe.ts";
import { MemoryWatch, MIB } from "../attack/measure.ts";
import { hasBalance, portsOf } from "../attack/run-attack.ts";
import { ownProcess } from "../bench/own-processes.ts";
import { SeededRandom } from "../support/disk/seeded-random.ts";
import { startProgram } from "../support/running/running-program.ts";
import { byteStream } from "./streams/byte-streams.ts";

export interface StreamRun {
  readonly seed: number;
  readonly streams: number;
}

export interface StreamOutcome {
  readonly sent: number;
  readonly longestCpuMs: number;
  readonly peakMib: number;
  readonly findings: readonly string[];
}

const CONCURRENT = 32;
/** The time after which the client closes a stream that the program keeps open. */
const MAX_STREAM_MS = 100;
/** Each address has 28,000 ports, which the system keeps for a minute after their use. */
const ADDRESSES = 250;
const MAX_CPU_MS = 1_000;

/** Sends byte streams to the built program, which must survive, answer others and stay balanced. */
export async function fuzzStreams({ seed, streams }: StreamRun): Promise<StreamOutcome> {
  await using program = await startProgram();
  ownProcess(program);
  const ports = portsOf(program);
  await using probe = startBlockProbe(program.pid, ports.api);
  const memory = new MemoryWatch(program.pid);
  const state = { hasEnded: false };
  void program.exited.then(() => (state.hasEnded = true));
  let sent = 0;
  const send = async (): Promise<void> => {
    while (sent < streams && !state.hasEnded) {
      sent += 1;
      await sendStream(ports, seed + sent - 1);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, send));
  const longestCpuMs = await probe.stop();
  const peakMib = memory.stop() / MIB;
  const { hasEnded } = state;
  const upTo = `seeds ${seed + sent - CONCURRENT} to ${seed + sent - 1}`;
  const findings = [
    ...(hasEnded ? [`the program ended at ${upTo}: ${JSON.stringify(program.log().at(-1))}`] : []),
    ...(longestCpuMs > MAX_CPU_MS ? [`it was blocked for ${longestCpuMs.toFixed(0)} ms`] : []),
    ...(hasEnded || (await hasBalance(program)) ? [] : ["its accounting does not balance"]),
  ];
  return { sent, longestCpuMs, peakMib, findings };
}

/** Sends a stream; resolves when the program closes the connection, or after the time limit. */
async function sendStream(ports: Ports, seed: number): Promise<void> {
  const { listener, bytes } = byteStream(new SeededRandom(seed));
  const localAddress = `127.0.2.${1 + (seed % ADDRESSES)}`;
  const closed = Promise.withResolvers<void>();
  const socket = connect({ port: ports[listener], host: "127.0.0.1", localAddress });
  socket.on("error", () => {}).once("close", () => closed.resolve());
  socket.resume().end(bytes);
  const timer = setTimeout(() => socket.destroy(), MAX_STREAM_MS);
  await closed.promise;
  clearTimeout(timer);
}
