import { expect, test } from "bun:test";
import { join } from "node:path";
import { openExportClient } from "../support/running/export-client.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";

// Goal: waits and tails over HTTP receive spans sent over gRPC, and end at a stop.

const CLIENT = join(import.meta.dir, "../support/sdk/sdk-client.mjs");
const AS_NDJSON = { Accept: "application/x-ndjson" };

test.each(["grpc", "http/protobuf"])(
  "a wait that began before the application receives its span over %s",
  async (protocol) => {
    await using program = await startProgram();
    const query = "service=shop&name=GET+%2Forders%2F%7Bid%7D&timeout=10m";
    const waiting = fetch(`${program.apiUrl}/api/wait?${query}`, { headers: AS_NDJSON });

    const url = protocol === "grpc" ? program.grpcUrl : `${program.httpUrl}/v1/traces`;
    const command = [process.execPath, CLIENT, url, "gzip", protocol];
    const client = Bun.spawn(command, { env: {}, stdout: "ignore", stderr: "inherit" });
    const response = await waiting;
    const span = (await response.json()) as object;

    expect(response.status).toBe(200);
    expect(span).toMatchObject({ service: "shop", name: "GET /orders/{id}" });
    expect(await client.exited).toBe(0);
  },
);

test("SIGTERM answers waits and ends tails at once", async () => {
  await using program = await startProgram({ SHUTDOWN_GRACE_MS: "600000" });
  const waiting = fetch(`${program.apiUrl}/api/wait?name=never&timeout=10m`);
  const tail = await fetch(`${program.apiUrl}/api/tail`);
  using client = openExportClient(program.grpcPort);
  await client.export(requestOf(2));
  const first = tail.body!.getReader();
  const lines = await readUntil(first, '"span 2"');

  program.signal("SIGTERM");
  const answer = await waiting;
  const end = await first.read();
  const exitCode = await program.exited;

  expect(lines).toContain('"span 1"');
  expect(answer.status).toBe(503);
  expect(end.done).toBe(true);
  expect(exitCode).toBe(0);
});

async function readUntil(
  reader: Pick<ReadableStreamDefaultReader<Uint8Array>, "read">,
  end: string,
): Promise<string> {
  let text = "";
  while (!text.includes(end)) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`it ended after ${text}`);
    text += new TextDecoder().decode(value);
  }
  return text;
}
