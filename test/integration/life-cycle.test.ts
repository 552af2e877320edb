import { type ServiceError, status } from "@grpc/grpc-js";
import { expect, test } from "bun:test";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import packageJson from "../../package.json" with { type: "json" };
import { VARIABLE_NAMES, VARIABLES } from "../../src/config/variables.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { openExportClient } from "../support/running/export-client.ts";
import { sendHalfBody } from "../support/running/half-sent-body.ts";
import { sendHalf } from "../support/running/half-sent-call.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { runProgram, startProgram } from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: the program ends as requested, and its last ledger contains all acknowledged spans.

const SPANS_OF_REQUEST = 10;

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends the program with 0 and the final ledger",
  async (signal) => {
    await using program = await startProgram();
    using client = openExportClient(program.grpcPort);
    await client.export(requestOf(3));

    program.signal(signal);
    const exitCode = await program.exited;

    expect(exitCode).toBe(0);
    const last = program.log().at(-1);
    expect(last).toMatchObject({
      level: "INFO",
      event: "stopped",
      sequence: { first: 1, next: 4 },
    });
    expect(last?.["spans"]).toEqual(ledgerOf({ received: 3, accepted: 3, buffered: 3 }));
    expect(program.log().find(({ event }) => event === "stopping")).toMatchObject({ signal });
  },
);

test("the ledger of a stop under load contains exactly the acknowledged spans", async () => {
  await using program = await startProgram();
  const enough = Promise.withResolvers<void>();
  const senders = Array.from({ length: 8 }, () =>
    sendUntilRefused(program.grpcPort, (accepted) => {
      if (accepted === 20) enough.resolve();
    }),
  );

  await enough.promise;
  const exitCode = await program.stop();
  const sent = await Promise.all(senders);

  const accepted = sent.reduce((total, sender) => total + sender.accepted, 0);
  expect(exitCode).toBe(0);
  expect(program.log().at(-1)).toMatchObject({
    event: "stopped",
    spans: { received: accepted * SPANS_OF_REQUEST, buffered: accepted * SPANS_OF_REQUEST },
  });
  expect(sent.map(({ refusal }) => refusal.code)).toEqual(sent.map(() => status.UNAVAILABLE));
});

/** Sends requests one at a time until one is refused. */
async function sendUntilRefused(port: number, report: (accepted: number) => void) {
  using client = openExportClient(port);
  for (let accepted = 0; ; accepted += 1) {
    try {
      await client.export(requestOf(SPANS_OF_REQUEST));
    } catch (error) {
      return { accepted, refusal: error as ServiceError };
    }
    report(accepted + 1);
  }
}

test("a stopping program is not ready and answers calls in flight", async () => {
  await using program = await startProgram({ SHUTDOWN_GRACE_MS: "60000" });
  using call = await sendHalf(program.grpcPort, requestOf(3));
  const readiness = () => fetch(`${program.apiUrl}/readyz`);

  const before = await readiness();
  program.signal("SIGTERM");
  await program.logged("stopping");
  const during = await readiness();
  const answer = await call.finish();
  const exitCode = await program.exited;

  expect(before.status).toBe(200);
  expect(during.status).toBe(503);
  expect(await during.json()).toEqual({ status: "stopping" });
  expect(answer).toBe(status.UNAVAILABLE);
  expect(exitCode).toBe(0);
});

test("a stopping program answers an HTTP request in flight with 503", async () => {
  await using program = await startProgram({ SHUTDOWN_GRACE_MS: "60000" });
  using sender = await sendHalfBody(program.httpPort, { declaredBytes: 1000, sentBytes: 10 });
  // This request arrives later; its answer shows that the program has read the other one.
  await fetch(program.httpUrl);

  const exitCode = await program.stop();

  expect(await sender.answer).toStartWith("HTTP/1.1 503");
  expect(exitCode).toBe(0);
});

test.each([
  { name: "the rest of an HTTP request head", listener: "httpPort", sent: "POST / HTTP/1.1\r\n" },
  { name: "the first bytes of a gRPC connection", listener: "grpcPort", sent: "" },
] as const)("a stopping program does not wait for $name", async ({ listener, sent }) => {
  const times = { SHUTDOWN_GRACE_MS: "60000", FIRST_REQUEST_TIMEOUT_MS: "60000" };
  await using program = await startProgram(times);
  const socket = connect(program[listener], "127.0.0.1");
  await once(socket, "connect");
  socket.write(sent);
  // These requests arrive later; their answers show that the program has read the other bytes.
  await fetch(program.httpUrl);
  using client = openExportClient(program.grpcPort);
  await client.export(requestOf(3));

  const [begin, exitCode, end] = [Date.now(), await program.stop(), Date.now()];
  socket.destroy();

  expect(exitCode).toBe(0);
  // Bun itself closes a connection with an incomplete head after 12 s.
  expect(end - begin).toBeLessThan(10_000);
});

test("a call that never finishes is closed when the grace time is up", async () => {
  await using program = await startProgram({ SHUTDOWN_GRACE_MS: "200" });
  using call = await sendHalf(program.grpcPort, requestOf(3));

  const exitCode = await program.stop();
  await call.closed;

  expect(exitCode).toBe(0);
  expect(program.log().at(-1)).toMatchObject({ event: "stopped", spans: { received: 0 } });
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "a second signal, %s, ends the grace time, and the program ends normally",
  async (second) => {
    await using program = await startProgram({ SHUTDOWN_GRACE_MS: "60000" });
    using client = openExportClient(program.grpcPort);
    await client.export(requestOf(3));
    using call = await sendHalf(program.grpcPort, requestOf(3));

    program.signal("SIGTERM");
    await program.logged("stopping");
    program.signal(second);
    const exitCode = await program.exited;
    await call.closed;

    expect(exitCode).toBe(0);
    expect(program.log().slice(-3)).toMatchObject([
      { event: "stopping" },
      {
        level: "WARNING",
        event: "grace_ended",
        signal: second,
        hint: expect.stringContaining("a third signal exits at once"),
      },
      { event: "stopped", spans: { buffered: 3 } },
    ]);
  },
);

// Code that the runtime preloads sends the second signal when the counts are written. The program
// then ends once it has nothing left to write.
const SECOND_SIGNAL_AT_EXIT = `process.exit = (exitCode) => {
  process.emit("SIGTERM");
  process.exitCode = exitCode;
};`;

test("a second signal after the end of the stop leaves the counts as the last line", async () => {
  const preload = join(temporaryFolder(), "second-signal.js");
  writeFileSync(preload, SECOND_SIGNAL_AT_EXIT);
  await using program = await startProgram({ BUN_OPTIONS: `--preload=${preload}` });

  const exitCode = await program.stop();

  expect(exitCode).toBe(0);
  expect(program.log().at(-1)).toMatchObject({ event: "stopped" });
});

test("a third signal ends the program at once", async () => {
  await using program = await startProgram({ SHUTDOWN_GRACE_MS: "60000" });
  using call = await sendHalf(program.grpcPort, requestOf(3));

  program.signal("SIGTERM");
  await program.logged("stopping");
  // Both signals are pending when it continues, so that it cannot have ended between them.
  for (const signal of ["SIGSTOP", "SIGTERM", "SIGINT", "SIGCONT"] as const) {
    process.kill(program.pid, signal);
  }

  const ended = await program.exited;
  await call.closed;
  // The system determines which of the two is handled last.
  expect([130, 143]).toContain(ended);
  expect(program.log().filter(({ event }) => event === "stopped")).toEqual([]);
});

test.each([
  { listener: "grpc", host: "OTLP_GRPC_HOST", port: "OTLP_GRPC_PORT" },
  { listener: "http", host: "OTLP_HTTP_HOST", port: "OTLP_HTTP_PORT" },
  { listener: "api", host: "API_HOST", port: "API_PORT" },
] as const)(
  "a port that is in use ends the start with 1: $listener",
  async ({ listener, host, port }) => {
    await using running = await startProgram();
    const { grpcPort, httpPort, apiUrl } = running;
    const taken = { grpc: grpcPort, http: httpPort, api: Number(new URL(apiUrl).port) }[listener];
    const others = { OTLP_GRPC_PORT: "0", OTLP_HTTP_PORT: "0", API_PORT: "0" };

    const env = { ...others, [host]: "127.0.0.1", [port]: String(taken) };
    const { exitCode, stdout, stderr } = await runProgram([], env);

    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(JSON.parse(stderr.trimEnd().split("\n").at(-1)!)).toMatchObject({
      level: "ERROR",
      event: "cannot_listen",
      listener,
      port: taken,
      reason: "the port is in use",
      hint: expect.stringContaining(port),
    });
  },
);

test("a start with an invalid configuration ends with 2 and lists every mistake", async () => {
  const env = { OTLP_GRPC_PORT: "http", MAX_BUFFER_SIZE: "0", LOG_LEVEL: "LOUD\u001b[31m" };

  const { exitCode, stdout, stderr } = await runProgram([], env);

  expect(exitCode).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toBe(`spanring: 3 mistakes in the environment
  OTLP_GRPC_PORT="http": must be a port from 1 to 65535, 0 for any free port, or off
  MAX_BUFFER_SIZE="0": must be ${VARIABLES.MAX_BUFFER_SIZE.bound}
  LOG_LEVEL="LOUD\\x1b[31m": must be one of DEBUG, INFO, WARNING, ERROR
See spanring help environment.
`);
});

test("--check lists the mistakes or shows every variable", async () => {
  const wrong = await runProgram(["--check"], { API_PORT: "4317", OTLP_GRPC_PORT: "4317" });
  const right = await runProgram(["--check"], { MAX_BUFFER_SIZE: "7" });

  expect(wrong).toMatchObject({ exitCode: 2, stdout: "" });
  expect(wrong.stderr).toContain('API_PORT="4317": must be a port other than OTLP_GRPC_PORT');
  expect(right).toMatchObject({ exitCode: 0, stderr: "" });
  expect(right.stdout.trimEnd().split("\n").map(nameOf)).toEqual([...VARIABLE_NAMES]);
  expect(right.stdout).toContain("MAX_BUFFER_SIZE=7\n");
});

function nameOf(line: string): string {
  return line.slice(0, line.indexOf("="));
}

test("--version and help print to standard output and end with 0", async () => {
  const version = await runProgram(["--version"]);
  const help = await runProgram(["help", "environment"]);

  expect(version).toEqual({
    exitCode: 0,
    stdout: `spanring ${packageJson.version}\n`,
    stderr: "",
  });
  expect(help).toMatchObject({ exitCode: 0, stderr: "" });
  const documented = VARIABLE_NAMES.filter((name) =>
    help.stdout.includes(`${name}=${VARIABLES[name].unset}`),
  );
  expect(documented).toEqual([...VARIABLE_NAMES]);
});

test("an unknown argument ends the program with 2", async () => {
  const { exitCode, stdout, stderr } = await runProgram(["--serve"]);

  expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: "" });
  expect(stderr).toContain('unknown option "--serve"');
});

test("every line of the log is an event in JSON, without the contents of spans", async () => {
  await using program = await startProgram({ LOG_LEVEL: "DEBUG", MAX_BUFFER_SIZE: "1" });
  using client = openExportClient(program.grpcPort);

  await client.export(requestOf(3));
  await client.export(Uint8Array.of(0xff)).catch(() => {});
  await fetch(`${program.apiUrl}/api/spans?limit=secret-value`);
  await program.stop();

  const log = program.log();
  expect(log.filter(({ time, level, event }) => !(time && level && event))).toEqual([]);
  expect(JSON.stringify(log)).not.toMatch(/span 1|shop|spanring\.test|secret-value/);
});
