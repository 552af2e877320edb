import { join } from "node:path";
import { requestsInFile } from "./sink-upstreams.ts";
import { temporaryFolder } from "../running/temporary-folder.ts";
import type { UpstreamOrder, UpstreamProtocol, UpstreamReport } from "./upstream-process.ts";
import { spanNumbers } from "../oracles/walked-spans.ts";

const PROGRAM = join(import.meta.dir, "upstream-process.ts");

/** A receiver of traces in a process of its own, which answers as it is told. */
export interface RunningUpstream extends AsyncDisposable {
  /** As FORWARD_ENDPOINT has it. */
  readonly endpoint: string;
  /** Resolves when it is so. */
  order(order: UpstreamOrder): Promise<UpstreamReport>;
  /** In the midst of whatever it does. */
  kill(): Promise<void>;
  /** Another process at the same port, which goes on with the same file. */
  comeBack(): Promise<void>;
  /** What it has ever said, or would have said, that it has: the spans' numbers, in its order. */
  kept(): Promise<number[]>;
}

export async function startUpstream(protocol: UpstreamProtocol): Promise<RunningUpstream> {
  const file = join(temporaryFolder(), "kept.binpb");
  let running = await startProcess(protocol, file, 0);
  const { port } = running.begun;
  return {
    endpoint: `${protocol}://127.0.0.1:${port}`,
    order: (order) => running.order(order),
    kill: () => running.kill(),
    comeBack: async () => {
      running = await startProcess(protocol, file, port);
    },
    kept: async () => (await requestsInFile(file)).flatMap(spanNumbers),
    [Symbol.asyncDispose]: () => running.kill(),
  };
}

async function startProcess(protocol: UpstreamProtocol, file: string, port: number) {
  let heard = Promise.withResolvers<UpstreamReport>();
  const child = Bun.spawn([process.execPath, PROGRAM, protocol, file, String(port)], {
    env: {},
    stdio: ["ignore", "ignore", "inherit"],
    ipc: (report: UpstreamReport) => heard.resolve(report),
    onExit: () => heard.reject(new Error("the upstream has ended")),
  });
  const begun = await heard.promise;
  return {
    begun,
    order: (order: UpstreamOrder) => {
      heard = Promise.withResolvers();
      child.send(order);
      return heard.promise;
    },
    kill: async () => {
      // Its end is what is wanted now, and no failure.
      heard.promise.catch(() => {});
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
