import { expect, test } from "bun:test";
import { listenFailure } from "../../../src/adapters/cli/listen-failure.ts";

const LISTENER = {
  listener: "grpc",
  address: { host: "0.0.0.0", port: 4317 },
  portVariable: "OTLP_GRPC_PORT",
};

test.each([
  { code: "EADDRNOTAVAIL", reason: "this machine does not have the address" },
  { code: "EACCES", reason: "the port needs a privilege this program does not have" },
  { code: "ENOTFOUND", reason: "the host name is not known" },
])("$code is put into words", ({ code, reason }) => {
  const error = Object.assign(new Error("listen failed"), { code });

  const line = listenFailure(LISTENER, error);

  expect(line).toEqual({ listener: "grpc", host: "0.0.0.0", port: 4317, reason });
});

test("a port in use comes with the variable that mends it", () => {
  const error = Object.assign(new Error("listen failed"), { code: "EADDRINUSE" });

  const line = listenFailure(LISTENER, error);

  expect(line["reason"]).toBe("the port is in use");
  expect(line["mend"]).toBe("set OTLP_GRPC_PORT to another port, to 0 for any free one, or to off");
});

test.each([
  { thrown: new Error("no such luck"), reason: "no such luck" },
  { thrown: "no such luck", reason: "no such luck" },
])("what has no code is told as it is", ({ thrown, reason }) => {
  expect(listenFailure(LISTENER, thrown)["reason"]).toBe(reason);
});
