import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import { once } from "node:events";
import { connect, type ClientHttp2Session, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import { createServer, type Socket } from "node:net";
import zlib from "node:zlib";
import { Client, credentials, Server, ServerCredentials, status as CODE } from "@grpc/grpc-js";

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

// adapters/otlp-grpc/unary-stream.ts, answerUnaryCall()
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

// adapters/otlp-grpc/call-headers.ts, adaptHeaders()
test("a deadline of more than 2^31 ms ends a call at once", async () => {
  const headers = { ":method": "POST", ":path": HANGING_PATH, "content-type": "application/grpc" };
  const stream = session.request({ ...headers, te: "trailers", "grpc-timeout": "2147484S" });
  stream.end(Buffer.alloc(5));

  const [response] = (await once(stream, "response")) as [IncomingHttpHeaders];
  stream.resume();

  expect(response["grpc-status"]).toBe(String(CODE.DEADLINE_EXCEEDED));
});

// adapters/otlp-grpc/message-encoding.ts, takeEncoding()
test("the messages of all streams are decompressed at the same time", async () => {
  let [open, mostOpen] = [0, 0];
  const createGunzip = zlib.createGunzip;
  using spy = spyOn(zlib, "createGunzip").mockImplementation((options) => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    return createGunzip(options).on("end", () => (open -= 1));
  });
  const message = zlib.gzipSync(Buffer.alloc(1024 * 1024));
  const framed = Buffer.concat([Buffer.of(1, 0, 0, 0, 0), message]);
  framed.writeUInt32BE(message.length, 1);
  const headers = { ":method": "POST", ":path": PATH, "content-type": "application/grpc" };

  const streams = Array.from({ length: 10 }, () => {
    const stream = session.request({ ...headers, te: "trailers", "grpc-encoding": "gzip" });
    stream.end(framed);
    return stream;
  });
  await Promise.all(streams.map((stream) => once(stream.resume(), "end")));

  expect(spy).toHaveBeenCalledTimes(streams.length);
  expect(mostOpen).toBe(streams.length);
});

const EMPTY_SETTINGS = Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0);

// adapters/forward/channel-sockets.ts, ChannelSockets
test("a channel that is closed before its peer sends SETTINGS leaves its socket open", async () => {
  await using silent = createServer().listen(0, "127.0.0.1");
  await once(silent, "listening");
  const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const client = new Client(address, credentials.createInsecure());
  client.getChannel().getConnectivityState(true);
  const [socket] = (await once(silent, "connection")) as [Socket];
  await once(socket, "data");

  client.close();
  socket.write(EMPTY_SETTINGS);

  // An open socket acknowledges the frame.
  const [answer] = (await once(socket, "data")) as [Buffer];
  expect(answer.length).toBeGreaterThan(0);
  socket.destroy();
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
