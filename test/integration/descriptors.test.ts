import { expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { runProgram, startProgram } from "../support/running/running-program.ts";

const MAX_OPEN_FILES = 64;

/** Opens connections, each with the beginning of a request, so that each is accepted. */
function halfRequests(port: number, count: number): AsyncDisposable {
  const sockets = Array.from({ length: count }, () => halfRequest(port));
  const closed = sockets.map(
    (socket) => new Promise<void>((resolve) => void socket.once("close", () => resolve())),
  );
  return {
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function halfRequest(port: number): Socket {
  const socket = connect({ port, host: "127.0.0.1" }).resume();
  socket.on("error", () => {});
  socket.write("POST /v1/traces HTTP/1.1\r\n");
  return socket;
}

// Goal: a program without file descriptors does not spin on connections that it cannot accept, logs
// that, and recovers. Method: more connections than it may have files send half a request each. It
// cannot spin while its listening sockets are closed.
test("a program without file descriptors pauses its listeners and recovers", async () => {
  await using program = await startProgram({}, { maxOpenFiles: MAX_OPEN_FILES });

  {
    await using _ = halfRequests(program.httpPort, 2 * MAX_OPEN_FILES);
    await program.logged("listening_paused");
  }
  await program.logged("listening_resumed");
  await exportOverHttp(program.httpUrl, requestOf(1));
  const answer = await fetch(`${program.apiUrl}/api/problems`);
  const metrics = await (await fetch(`${program.apiUrl}/metrics`)).text();
  const stats = await runProgram(["stats", "--url", program.apiUrl]);
  const exitCode = await program.stop();

  const { problems } = (await answer.json()) as { problems: object[] };
  expect(problems).toContainEqual(
    expect.objectContaining({ protocol: "http", reason: "out_of_descriptors" }),
  );
  expect(JSON.parse(stats.stdout)).toMatchObject({ problems });
  expect(metrics).toMatch(
    /\nspanring_problems_total\{protocol="http",reason="out_of_descriptors"\} [1-9]/,
  );
  expect(metrics).toContain(`\nprocess_max_fds ${MAX_OPEN_FILES}\n`);
  expect(program.log()).toContainEqual(
    expect.objectContaining({ event: "problem", reason: "out_of_descriptors" }),
  );
  expect(exitCode).toBe(0);
});
