import { afterAll, beforeAll, expect, test } from "bun:test";
import { once } from "node:events";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { Server, ServerCredentials } from "@grpc/grpc-js";

// Goal and method: as in `bun.test.ts`, for grpc-js.

const PATH = "/quirks.Service/Method";
const HANGING_PATH = "/quirks.Service/Hang";
const same = (bytes: Buffer): Buffer => bytes;
const messages: Buffer[] = [];
const server = new Server({ "grpc.enable_channelz": 0 });
const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
const sockets = createServer((socket) => injector.injectConnection(socket));
let session: ClientHttp2Session;

beforeAll(async () => {
  server.register(PATH, answerEmpty, same, same, "unary");
  server.register(HANGING_PATH, () => {}, same, same, "unary");
  sockets.listen(0, "127.0.0.1");
  await once(sockets, "listening");
  session = connect(`http://127.0.0.1:${(sockets.address() as AddressInfo).port}`);
  await once(session, "remoteSettings");
});

afterAll(() => {
  session.destroy();
  sockets.close();
  server.forceShutdown();
});

function answerEmpty(
  call: { readonly request: Buffer },
  respond: (error: null, answer: Buffer) => void,
): void {
  messages.push(call.request);
  respond(null, Buffer.alloc(0));
}

async function responseTo(type: string, ...bytes: number[]): Promise<IncomingHttpHeaders> {
  const headers = { ":method": "POST", ":path": PATH, "content-type": type, te: "trailers" };
  const stream = session.request(headers);
  stream.end(Buffer.from(bytes));
  const [response] = (await once(stream, "response")) as [IncomingHttpHeaders];
  stream.resume();
  return response;
}

// adapters/otlp-grpc/call-headers.ts, adaptHeaders()
test.each([
  { type: "application/grpc-web", status: 200 },
  { type: "Application/GRPC", status: 415 },
])("the content type $type is answered with $status", async ({ type, status }) => {
  expect(await responseTo(type, 0, 0, 0, 0, 0)).toMatchObject({ ":status": status });
});

// adapters/otlp-grpc/call-headers.ts, cardinalityFault()
test("a truncated message is reported as an absent message of a streaming method", async () => {
  expect(await responseTo("application/grpc", 0, 0, 0, 0, 9, 1)).toMatchObject({
    "grpc-status": "12",
    "grpc-message": expect.stringMatching(/^Received%20no%20request%20message.*streaming/),
  });
});

// adapters/otlp-grpc/message-encoding.ts, compressedFlag()
test("a message is passed on as a view after its prefix, any flag but 1 as 0", async () => {
  await responseTo("application/grpc", 7, 0, 0, 0, 2, 8, 9);

  const message = messages.at(-1)!;
  expect([...message]).toEqual([8, 9]);
  expect(new Uint8Array(message.buffer)[message.byteOffset - 5]).toBe(7);
});

// adapters/otlp-grpc/grpc-listener.ts, stopAllWithin()
test("without channelz, a forced shutdown leaves a connection with an open call open", async () => {
  const headers = { ":method": "POST", ":path": HANGING_PATH, "content-type": "application/grpc" };
  session.request(headers).on("error", () => {});
  // The answer to this call shows that the server has read the previous one.
  await responseTo("application/grpc", 0, 0, 0, 0, 0);

  server.forceShutdown();

  const error = await new Promise((resolve) => session.ping(resolve));
  expect(error).toBeNull();
});
