import type { OutgoingHttpHeaders } from "node:http2";
import { GRPC_CODE } from "../otlp/status-table.ts";
import { type MessagePrefix, PREFIX_BYTES } from "./message-prefix.ts";

/** What has come of a call's only message, and behind it. */
export interface ReceivedMessage {
  readonly prefix: MessagePrefix;
  readonly receivedBytes: number;
}

/** What grpc-js 1.14.7 says of any call that has not one whole message, encoded as in a trailer. */
const LIBRARY_TEXT = /^Received%20(no|a%20second)%20request%20message%20for%20server%20stream/;

/** Reports whether grpc-js ends a call with these headers because it has not one whole message. */
export function isCardinalityFault(headers: OutgoingHttpHeaders): boolean {
  if (headers["grpc-status"] !== GRPC_CODE.UNIMPLEMENTED) return false;
  return LIBRARY_TEXT.test(String(headers["grpc-message"]));
}

export interface CardinalityFault {
  readonly code: number;
  readonly message: string;
}

/**
 * Returns the status that says what is wrong: grpc-js takes a message that was cut short for none,
 * and calls every method a streaming one.
 *
 * Source: grpc/grpc, doc/statuscodes.md: UNIMPLEMENTED for a wrong number of messages, INTERNAL for
 * one that does not keep to its framing.
 */
export function cardinalityFault({ prefix, receivedBytes }: ReceivedMessage): CardinalityFault {
  const wholeBytes = PREFIX_BYTES + prefix.lengthBytes;
  const isWhole = prefix.seenBytes === PREFIX_BYTES && receivedBytes >= wholeBytes;
  if (receivedBytes === 0) return NO_MESSAGE;
  return isWhole ? TWO_MESSAGES : CUT_SHORT;
}

const CUT_SHORT: CardinalityFault = {
  code: GRPC_CODE.INTERNAL,
  message: "the call ended within its message, which was cut short",
};

const NO_MESSAGE: CardinalityFault = {
  code: GRPC_CODE.UNIMPLEMENTED,
  message: "the call has no message; this method takes one",
};

const TWO_MESSAGES: CardinalityFault = {
  code: GRPC_CODE.UNIMPLEMENTED,
  message: "the call has more than one message; this method takes one",
};
