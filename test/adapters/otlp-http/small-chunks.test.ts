import { expect, test } from "bun:test";
import { connect } from "node:net";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const HEAD =
  "POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n" +
  "Transfer-Encoding: chunked\r\n\r\n";

async function sendChunks(count: number): Promise<{ text: string; problems: unknown }> {
  const { listener, problems } = runOtlpHttp();
  const socket = connect({ port: listener.port, host: "127.0.0.1" });
  let text = "";
  socket.on("error", () => {});
  const over = new Promise<void>((resolve) => {
    socket.once("close", () => resolve());
    socket.on("data", (bytes) => {
      text += bytes.toString();
      resolve();
    });
  });
  socket.write(HEAD);
  // Each write waits for the one before, so that the chunks do not arrive as one piece.
  for (let sent = 0; sent < count && !socket.destroyed; sent += 1) {
    await new Promise<void>((resolve) => void socket.write("1\r\na\r\n", () => resolve()));
  }
  if (!socket.destroyed) socket.write("0\r\n\r\n");
  await over;
  socket.destroy();
  return { text, problems: problems.list() };
}

test("a body in chunks of one byte is read when there are a few hundred", async () => {
  expect((await sendChunks(500)).text).toStartWith("HTTP/1.1 200");
});

test("a body in chunks of one byte is broken off when there are tens of thousands", async () => {
  const { text, problems } = await sendChunks(50_000);

  expect(text).toBe("");
  expect(problems).toMatchObject([{ protocol: "http" }]);
});
