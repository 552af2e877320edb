import { expect, test } from "bun:test";
import { connect } from "node:net";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../../support/running/running-otlp-http.ts";

stopOtlpHttpAfterEach();

const headOf = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n` +
  "Transfer-Encoding: chunked\r\n\r\n";

async function sendChunks(
  count: number,
  path = "/v1/traces",
): Promise<{ text: string; problems: unknown }> {
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
  socket.write(headOf(path));
  // Each write waits for the one before, so that the chunks do not arrive as one piece.
  for (let sent = 0; sent < count && !socket.destroyed; sent += 1) {
    await new Promise<void>((resolve) => void socket.write("1\r\na\r\n", () => resolve()));
  }
  if (!socket.destroyed) socket.write("0\r\n\r\n");
  await over;
  socket.destroy();
  return { text, problems: problems.list() };
}

test("a body in chunks of one byte is read when there are no more than 250", async () => {
  expect((await sendChunks(250)).text).toStartWith("HTTP/1.1 200");
});

test.each(["/v1/traces", "/nowhere"])(
  "a body to %p in tens of thousands of chunks of one byte is broken off",
  async (path) => {
    const { text, problems } = await sendChunks(50_000, path);

    expect(text).toBe("");
    expect(problems).toMatchObject([{ protocol: "http" }]);
  },
);
