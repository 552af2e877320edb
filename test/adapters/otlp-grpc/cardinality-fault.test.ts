import { expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import {
  cardinalityFault,
  isCardinalityFault,
} from "../../../src/adapters/otlp-grpc/cardinality-fault.ts";

const OF_LIBRARY = {
  "grpc-status": status.UNIMPLEMENTED,
  "grpc-message": encodeURI("Received no request message for server streaming method /a.B/C"),
};

test.each([
  { name: "the fault", headers: OF_LIBRARY, isFault: true },
  { name: "another status", headers: { ...OF_LIBRARY, "grpc-status": 13 }, isFault: false },
  { name: "no status, as before a message", headers: { ":status": 200 }, isFault: false },
  {
    name: "a method that is not there",
    headers: { ...OF_LIBRARY, "grpc-message": "The server does not implement the method /a" },
    isFault: false,
  },
])("told from what else grpc-js may send: $name", ({ headers, isFault }) => {
  expect(isCardinalityFault(headers)).toBe(isFault);
});

test.each([
  { name: "nothing", seenBytes: 0, receivedBytes: 0, code: 12, message: "has no message" },
  { name: "4 bytes", seenBytes: 4, receivedBytes: 4, code: 13, message: "was cut short" },
  { name: "a prefix", seenBytes: 5, receivedBytes: 5, code: 13, message: "was cut short" },
  { name: "all but one byte", seenBytes: 5, receivedBytes: 14, code: 13, message: "cut short" },
  { name: "all of one", seenBytes: 5, receivedBytes: 15, code: 12, message: "more than one" },
  { name: "two", seenBytes: 5, receivedBytes: 30, code: 12, message: "more than one message" },
])("of a message of 10 bytes came $name", ({ seenBytes, receivedBytes, code, message }) => {
  const fault = cardinalityFault({ prefix: { seenBytes, lengthBytes: 10 }, receivedBytes });

  expect(fault).toEqual({ code, message: expect.stringContaining(message) });
});
