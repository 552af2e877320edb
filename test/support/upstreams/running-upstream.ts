import { join } from "node:path";
import { requestsInFile } from "./sink-upstreams.ts";
import { temporaryFolder } from "../running/temporary-folder.ts";
import type { UpstreamOrder, UpstreamProtocol, UpstreamReport } from "./upstream-process.ts";
import { spanNumbers } from "../oracles/walked-spans.ts";

const PROGRAM = join(import.meta.dir, "upstream-process.ts");

/** A trace receiver in its own process, with the responses that the test chooses. */
export interface RunningUpstream extends AsyncDisposable {
  /** The value for FORWARD_ENDPOINT. */
  readonly endpoint: string;
  /** Changes its behaviour; resolves once the change is effective. */
  order(order: UpstreamOrder): Promise<UpstreamReport>;
  /** Kills the process, whatever it is doing. */
  kill(): Promise<void>;
  /** Starts another process on the same port, which continues with the same file. */
  comeBack(): Promise<void>;
  /** Resolves to the numbers of all spans it has accepted, acknowledged or not, in order. */
  acceptedSpans(): Promise<number[]>;
}

export async function startUpstream(protocol: UpstreamProtocol): Promise<RunningUpstream> {
  const file = join(temporaryFolder(), "accepted.binpb");
  let running = await startProcess(protocol, file, 0);
  const { port } = running.begun;
  return {
    endpoint: `${protocol}://127.0.0.1:${port}`,
    order: (order) => running.order(order),
    kill: () => running.kill(),
    comeBack: async () => {
      running = await startProcess(protocol, file, port);
    },
    acceptedSpans: async () => (await requestsInFile(file)).flatMap(spanNumbers),
    [Symbol.asyncDispose]: () => running.kill(),
  };
}

async function startProcess(protocol: UpstreamProtocol, file: string, port: number) {
  let report = Promise.withResolvers<UpstreamReport>();
  const child = Bun.spawn([process.execPath, PROGRAM, protocol, file, String(port)], {
    env: {},
    stdio: ["ignore", "ignore", "inherit"],
    ipc: (received: UpstreamReport) => report.resolve(received),
    onExit: () => report.reject(new Error("the upstream has ended")),
  });
  const begun = await report.promise;
  return {
    begun,
    order: (order: UpstreamOrder) => {
      report = Promise.withResolvers();
      child.send(order);
      return report.promise;
    },
    kill: async () => {
      // Its end is expected now and is not a failure.
      report.promise.catch(() => {});
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
