import { describe, expect, test } from "bun:test";
import { status } from "@grpc/grpc-js";
import type { TokenGate } from "../../src/adapters/listening/token-gate.ts";
import { openedGate, type OpenedGate } from "../support/fakes/opened-gate.ts";
import { callUnary, EXPORT_PATH } from "../support/grpc/grpc-call.ts";
import {
  runGrpcListener,
  stopGrpcListenersAfterEach,
} from "../support/running/running-grpc-listener.ts";
import { runOtlpHttp, stopOtlpHttpAfterEach } from "../support/running/running-otlp-http.ts";
import { runReadApi, stopReadApisAfterEach } from "../support/running/running-read-api.ts";

// Goal: the listeners agree on which headers carry a valid token. Method: each gets the headers of
// one table.

stopGrpcListenersAfterEach();
stopOtlpHttpAfterEach();
stopReadApisAfterEach();

type Headers = Readonly<Record<string, string>>;

/** Sends a request with these headers to a new listener; resolves to whether it passes its gate. */
type Ask = (gate: TokenGate, headers: Headers) => Promise<boolean>;

const LISTENERS: Readonly<Record<string, Ask>> = {
  "OTLP/gRPC": async (gate, metadata) => {
    const { client } = await runGrpcListener({ gate });
    const { code } = await callUnary(client(), EXPORT_PATH, Buffer.alloc(0), { metadata });
    return code !== status.UNAUTHENTICATED;
  },
  "OTLP/HTTP": async (gate, headers) => {
    const { send } = runOtlpHttp({ gate });
    return (await send("", { headers })).status !== 401;
  },
  "the read API": async (gate, headers) => {
    const { request } = runReadApi({ gate });
    return (await request("/api/stats", { headers })).status !== 401;
  },
};

const CASES: readonly { readonly headers: Headers; readonly isValid: boolean }[] = [
  { headers: { authorization: "Bearer one" }, isValid: true },
  { headers: { authorization: "bearer one" }, isValid: true },
  { headers: { authorization: "BEARER   one" }, isValid: true },
  { headers: { "x-api-key": "one" }, isValid: true },
  { headers: { authorization: "Basic b25lOm9uZQ==", "x-api-key": "one" }, isValid: true },
  { headers: { authorization: "Bearer two", "x-api-key": "one" }, isValid: true },
  { headers: {}, isValid: false },
  { headers: { authorization: "Bearer two" }, isValid: false },
  { headers: { authorization: "Bearer One" }, isValid: false },
  { headers: { authorization: "Bearer one, Bearer one" }, isValid: false },
  { headers: { authorization: "Bearer one two" }, isValid: false },
  { headers: { authorization: "Bearerone" }, isValid: false },
  { headers: { authorization: "one" }, isValid: false },
  { headers: { authorization: "Basic one" }, isValid: false },
  { headers: { "x-api-key": "Bearer one" }, isValid: false },
  { headers: { "x-api-key": "two" }, isValid: false },
  { headers: { "api-key": "one" }, isValid: false },
  { headers: { cookie: "token=one" }, isValid: false },
];

describe.each(Object.entries(LISTENERS))("%s", (_, ask) => {
  test.each(CASES)("passes $headers: $isValid", async ({ headers, isValid }) => {
    const { gate, problems }: OpenedGate = openedGate("zero", "one");

    expect(await ask(gate, headers)).toBe(isValid);
    expect(problems.length).toBe(isValid ? 0 : 1);
  });
});
