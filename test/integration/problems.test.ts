import { expect, test } from "bun:test";
import { readConfig } from "../../src/config.ts";
import { type RunningServer, startServer } from "../../src/server.ts";
import { exportOverHttp } from "../support/export-over-http.ts";
import { callHttp2, openHttp2 } from "../support/grpc-http2-call.ts";
import { grpcMessage } from "../support/grpc-wire.ts";
import { countsOf } from "../support/problem-totals.ts";
import { RecordingLogger } from "../support/recording-logger.ts";
import { requestOf } from "../support/request-bytes.ts";

// Goal: nothing is refused or discarded unseen. Method: a whole server gets what exporters and
// people send by mistake; then its log, its metrics and its list of problems are looked at.

const LOCAL = { OTLP_GRPC_HOST: "127.0.0.1", OTLP_HTTP_HOST: "127.0.0.1" };
const FREE = { ...LOCAL, OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };

async function start(env: Record<string, string> = {}) {
  const reading = readConfig({ ...FREE, ...env });
  if (!reading.ok) throw new Error("the configuration is not right");
  const logger = new RecordingLogger();
  const server = await startServer({ config: reading.config, logger, version: "0.0.0" });
  const linesOf = (event: string) => logger.lines.filter((line) => line.event === event);
  return { ...server, http: `http://127.0.0.1:${server.ports.http}`, linesOf };
}

interface ListedProblem {
  readonly reason: string;
  readonly hint: string;
}

async function listedBy({ ports }: Pick<RunningServer, "ports">): Promise<ListedProblem[]> {
  const answer = await fetch(`http://127.0.0.1:${ports.api}/api/problems`);
  return ((await answer.json()) as { problems: ListedProblem[] }).problems;
}

async function metricsOf({ ports }: Pick<RunningServer, "ports">): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${ports.api}/metrics`)).text();
}

test("what is refused by its headers is in the list, the log and the metrics", async () => {
  const server = await start();

  await fetch(`${server.http}/v1/trace`, { method: "POST", body: "x" });
  await fetch(`${server.http}/v1/traces`, { method: "POST", body: "x" });
  const session = openHttp2(server.ports.grpc as number);
  const pieces = [grpcMessage(requestOf(1), true)];
  await callHttp2(session, { headers: { "grpc-encoding": "br" }, pieces });
  session.destroy();
  const listed = await listedBy(server);
  const metrics = await metricsOf(server);
  await server.stop(0);

  const reasons = ["unsupported_encoding", "unsupported_type", "unknown_path"];
  expect(listed.map(({ reason }) => reason)).toEqual(reasons);
  expect(listed[2]?.hint).toContain(`/v1/traces at port ${server.ports.http};`);
  expect(metrics).toContain(
    '\nspanring_problems_total{protocol="grpc",reason="unsupported_encoding"} 1\n',
  );
  const logged = server.linesOf("problem").map(({ fields }) => fields["reason"]);
  expect(logged).toEqual(reasons.toReversed());
});

test.each([
  { policy: "drop_oldest", counts: { evicted: 3 } },
  { policy: "refuse", counts: { buffer_full: 2 } },
])("with $policy, what a full buffer costs is a problem", async ({ policy, counts }) => {
  const server = await start({ MAX_BUFFER_SIZE: "2", OVERFLOW_POLICY: policy });

  for (const spanCount of [2, 1, 2]) {
    await exportOverHttp(server.http, requestOf(spanCount)).catch(String);
  }
  await server.stop(0);

  expect(countsOf({ totals: server.problems })).toEqual(counts);
});

test("what is still to be logged is logged when it stops", async () => {
  const server = await start();
  for (let time = 0; time < 3; time += 1) await fetch(`${server.http}/no`, { method: "POST" });

  await server.stop(0);

  expect(server.linesOf("problem").map(({ fields }) => fields["count"])).toEqual([1, 2]);
});
