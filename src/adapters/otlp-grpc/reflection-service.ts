import { status as Code, type ServerDuplexStream } from "@grpc/grpc-js";
import {
  type CallFailure,
  callFailure,
  bufferOver,
  HEALTH_SERVICE,
  OLD_REFLECTION_SERVICE,
  REFLECTION_SERVICE,
  TRACE_SERVICE,
  type Method,
} from "./call-handlers.ts";
import { grpc, type Input } from "./generated/services.js";
import { type EncodedMessage, smallMessage } from "./message-encoding.ts";
import { fileDescriptors, fileImports, symbolFiles } from "./generated/descriptors.ts";

type Dialogue = ServerDuplexStream<Buffer, Buffer>;
/** Those that are open. */
export type Dialogues = Set<Dialogue>;
type Request = grpc.reflection.v1.ServerReflectionRequest;
type Answer = Input<grpc.reflection.v1.ServerReflectionResponse>;

/** Both versions have the same messages under two names. */
const VERSIONS = [
  { service: REFLECTION_SERVICE, messages: grpc.reflection.v1 },
  { service: OLD_REFLECTION_SERVICE, messages: grpc.reflection.v1alpha },
];

type Messages = (typeof VERSIONS)[number]["messages"];

const SERVICES = [TRACE_SERVICE, HEALTH_SERVICE, REFLECTION_SERVICE, OLD_REFLECTION_SERVICE];

/** In all. What a client sends and nobody reads yet is bounded by its window only. */
const MAX_DIALOGUES = 16;

const TOO_MANY: CallFailure = {
  code: Code.RESOURCE_EXHAUSTED,
  details: "too many reflection calls",
};

const MALFORMED: CallFailure = {
  code: Code.INVALID_ARGUMENT,
  details: "not a reflection request",
};

/** Names a file or a symbol. The answer repeats the request, so a long one would cost twice. */
const MAX_REQUEST_BYTES = 16 * 1024;

/**
 * `grpc.reflection.v1.ServerReflection`, so that `grpcurl` and the like need no `.proto` files;
 * v1alpha is for older ones. Source: grpc/grpc, src/proto/grpc/reflection/v1/reflection.proto.
 */
export function reflectionMethods(dialogues: Dialogues): Method[] {
  return VERSIONS.map(({ service, messages }) => ({
    path: `/${service}/ServerReflectionInfo`,
    type: "bidi",
    handler: (call) => converse(call, messages, dialogues),
  }));
}

/** Lets go whoever still asks: an open call would hold the server open. */
export function stopDialogues(dialogues: Dialogues): void {
  for (const call of dialogues) fail(call, { code: Code.UNAVAILABLE, details: "stopping" });
}

function converse(call: Dialogue, messages: Messages, dialogues: Dialogues): void {
  if (dialogues.size >= MAX_DIALOGUES) return fail(call, TOO_MANY);
  dialogues.add(call);
  call.once("cancelled", () => dialogues.delete(call));
  call.on("data", (request: Buffer) => reply(call, messages, request));
  call.on("end", () => call.end());
}

/** One answer a request. A client that reads no answers has no more of its requests read. */
function reply(call: Dialogue, messages: Messages, message: Buffer): void {
  const request = decode(messages, { request: message, metadata: call.metadata });
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
      return errorAnswer(Code.NOT_FOUND, "there are no extensions");
    case "allExtensionNumbersOfType":
      return noExtensionsOf(request.allExtensionNumbersOfType ?? "");
    case undefined:
      return errorAnswer(Code.INVALID_ARGUMENT, "the request asks for nothing");
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

/** How grpc-js has a stream end with a status: an event, not a throw. */
function fail(call: Dialogue, failure: CallFailure): void {
  call.emit("error", failure);
}

/** A file with everything it imports, itself first; undefined when there is no such file. */
export function filesFor(name: string): Uint8Array[] | undefined {
  if (!Object.hasOwn(fileDescriptors, name)) return undefined;
  return [...withImports(name)].map((file) => Buffer.from(fileDescriptors[file] ?? "", "base64"));
}

/** The file that says what `symbol` is: a message, an enum, a service or a method. */
export function fileOfSymbol(symbol: string): string | undefined {
  return Object.hasOwn(symbolFiles, symbol) ? symbolFiles[symbol] : undefined;
}

/** A set is walked in order of insertion, and what is added on the way is walked too. */
function withImports(name: string): Set<string> {
  const files = new Set([name]);
  for (const file of files) {
    for (const imported of fileImports[file] ?? []) files.add(imported);
  }
  return files;
}
