import { status as Code, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  type CallFailure,
  callFailure,
  bufferOver,
  HEALTH_SERVICE,
  OLD_REFLECTION_SERVICE,
  REFLECTION_SERVICE,
  TRACE_SERVICE,
  type BidirectionalStreams,
  type StreamingMethod,
} from "./call-handlers.ts";
import { grpc, type Input } from "./generated/services.js";
import { type EncodedMessage, libraryMessage, smallMessage } from "./message-encoding.ts";
import { fileDescriptors, fileImports, symbolFiles } from "./generated/descriptors.ts";

type Stream = ServerDuplexStream<Buffer, Buffer>;
type Request = grpc.reflection.v1.ServerReflectionRequest;
type Answer = Input<grpc.reflection.v1.ServerReflectionResponse>;

/** The versions differ in their names only. */
const VERSIONS = [
  { service: REFLECTION_SERVICE, messages: grpc.reflection.v1 },
  { service: OLD_REFLECTION_SERVICE, messages: grpc.reflection.v1alpha },
];

type Messages = (typeof VERSIONS)[number]["messages"];

const SERVICES = [TRACE_SERVICE, HEALTH_SERVICE, REFLECTION_SERVICE, OLD_REFLECTION_SERVICE];

/** The maximum number of streams, because only flow control bounds what a client sends on one. */
const MAX_STREAMS = 16;

const TOO_MANY: CallFailure = {
  code: Code.RESOURCE_EXHAUSTED,
  details: "too many reflection calls",
};

const MALFORMED: CallFailure = {
  code: Code.INVALID_ARGUMENT,
  details: "not a reflection request",
};

/** The maximum size of a request. The response repeats it, so a long one would cost twice. */
const MAX_REQUEST_BYTES = 16 * 1024;

/**
 * Returns the methods of `grpc.reflection.v1.ServerReflection`, so that tools such as `grpcurl`
 * need no `.proto` files; v1alpha is for older tools.
 * Source: grpc/grpc, src/proto/grpc/reflection/v1/reflection.proto.
 */
export function reflectionMethods(streams: BidirectionalStreams): StreamingMethod[] {
  return VERSIONS.map(({ service, messages }) => ({
    path: `/${service}/ServerReflectionInfo`,
    type: "bidi",
    handler: (call) => answerStream(call, messages, streams),
  }));
}

/** Ends all open streams, which would keep the server open. */
export function endReflection(streams: BidirectionalStreams): void {
  for (const call of streams) fail(call, { code: Code.UNAVAILABLE, details: "stopping" });
}

function answerStream(call: Stream, messages: Messages, streams: BidirectionalStreams): void {
  if (streams.size >= MAX_STREAMS) return fail(call, TOO_MANY);
  streams.add(call);
  call.once("cancelled", () => streams.delete(call));
  call.on("data", (request: Buffer) => reply(call, messages, request));
  call.on("end", () => call.end());
}

/** Sends one answer for each request, and reads no more from a client that reads no answers. */
function reply(call: Stream, messages: Messages, message: Buffer): void {
  const request = decode(messages, libraryMessage(message, call.metadata));
  if ("code" in request) return fail(call, request);
  const answer = { ...answerTo(request), validHost: request.host, originalRequest: request };
  const bytes = messages.ServerReflectionResponse.encode(answer).finish();
  if (call.write(bufferOver(bytes))) return;
  call.pause();
  call.once("drain", () => call.resume());
}

function decode(messages: Messages, message: EncodedMessage): Request | CallFailure {
  const plain = smallMessage(message, MAX_REQUEST_BYTES);
  if (plain.outcome !== "plain") return callFailure(plain);
  try {
    return messages.ServerReflectionRequest.decode(plain.bytes);
  } catch {
    return MALFORMED;
  }
}

function answerTo(request: Request): Answer {
  switch (request.messageRequest) {
    case "listServices":
      return { listServicesResponse: { service: SERVICES.map((name) => ({ name })) } };
    case "fileByFilename":
      return filesAnswer(request.fileByFilename ?? "");
    case "fileContainingSymbol":
      return filesAnswer(fileOfSymbol(request.fileContainingSymbol ?? ""));
    case "fileContainingExtension":
      return errorAnswer(Code.NOT_FOUND, "no extensions exist");
    case "allExtensionNumbersOfType":
      return noExtensionsOf(request.allExtensionNumbersOfType ?? "");
    case undefined:
      return errorAnswer(Code.INVALID_ARGUMENT, "the request has no message_request");
  }
}

function filesAnswer(name: string | undefined): Answer {
  const files = name === undefined ? undefined : filesFor(name);
  if (files === undefined) return errorAnswer(Code.NOT_FOUND, "no such file or symbol");
  return { fileDescriptorResponse: { fileDescriptorProto: files } };
}

function noExtensionsOf(type: string): Answer {
  if (fileOfSymbol(type) === undefined) return errorAnswer(Code.NOT_FOUND, "no such type");
  return { allExtensionNumbersResponse: { baseTypeName: type, extensionNumber: [] } };
}

function errorAnswer(errorCode: Code, errorMessage: string): Answer {
  return { errorResponse: { errorCode, errorMessage } };
}

/** Ends a stream with a status, which grpc-js takes as an event. */
function fail(call: Stream, failure: CallFailure): void {
  call.emit("error", failure);
}

/** Returns a file, followed by all its imports; undefined when no such file exists. */
export function filesFor(name: string): Uint8Array[] | undefined {
  if (!Object.hasOwn(fileDescriptors, name)) return undefined;
  return [...withImports(name)].map((file) => Buffer.from(fileDescriptors[file] ?? "", "base64"));
}

/** Returns the file that defines `symbol`: a message, an enum, a service or a method. */
export function fileOfSymbol(symbol: string): string | undefined {
  return Object.hasOwn(symbolFiles, symbol) ? symbolFiles[symbol] : undefined;
}

/** Iterates over a set while it grows: its iterator visits what is added on the way. */
function withImports(name: string): Set<string> {
  const files = new Set([name]);
  for (const file of files) {
    for (const imported of fileImports[file] ?? []) files.add(imported);
  }
  return files;
}
