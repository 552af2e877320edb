import { expect, test } from "bun:test";
import { listenFailure } from "../../src/server/listen.ts";

const LISTENER = {
  listener: "grpc",
  address: { host: "0.0.0.0", port: 4317 },
  portVariable: "OTLP_GRPC_PORT",
};

test.each([
  {
    code: "EADDRINUSE",
    reason: "the port is in use",
    hint: "set OTLP_GRPC_PORT to another port, to 0 for any free one, or to off",
  },
  {
    code: "EACCES",
    reason: "the port needs a privilege this program does not have",
    hint: "set OTLP_GRPC_PORT to a port above 1023, to 0 for any free one, or to off",
  },
  {
    code: "EADDRNOTAVAIL",
    reason: "this machine does not have the address",
    hint: "set OTLP_GRPC_HOST to an address of this machine, or to 0.0.0.0 for all of them",
  },
  {
    code: "ENOTFOUND",
    reason: "the host name does not resolve",
    hint: "set OTLP_GRPC_HOST to an address of this machine, or to 0.0.0.0 for all of them",
  },
])("$code is explained with a hint that names the variable", ({ code, reason, hint }) => {
  const error = Object.assign(new Error("listen failed"), { code });

  const line = listenFailure(LISTENER, error);

  expect(line).toEqual({ listener: "grpc", host: "0.0.0.0", port: 4317, reason, hint });
});

test.each([
  { thrown: new Error("no such luck"), reason: "no such luck" },
  { thrown: "no such luck", reason: "no such luck" },
])("an error without a code is reported unchanged", ({ thrown, reason }) => {
  expect(listenFailure(LISTENER, thrown)["reason"]).toBe(reason);
});
