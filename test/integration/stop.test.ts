import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
import { spanNumbers } from "../support/oracles/walked-spans.ts";
import { dataDirectory } from "../support/running/data-directory.ts";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import {
  request,
  requestOf,
  resourceSpans,
  serverRequest,
  span,
} from "../support/requests/request-bytes.ts";
import { joined } from "../support/running/filled-ring.ts";
import {
  type RunningProgram,
  runProgram,
  startProgram,
} from "../support/running/running-program.ts";
import { temporaryFolder } from "../support/running/temporary-folder.ts";

// Goal: at level `stop`, the next start restores every span of a stop, and losses are reported.

const root = temporaryFolder();

/** The upstream does not listen, so that no span is delivered. */
const FORWARDING = { FORWARD_ENDPOINT: "http://127.0.0.1:1", SHUTDOWN_GRACE_MS: "1" };

function keeping() {
  const { path } = dataDirectory(root);
  return { path, env: { DATA_DIR: path, DURABILITY: "stop" } };
}

async function send(program: RunningProgram, ...requests: Uint8Array[]): Promise<void> {
  for (const each of requests) await exportOverHttp(program.httpUrl, each);
}

async function requestIn(program: RunningProgram): Promise<Uint8Array> {
  const headers = { Accept: "application/x-protobuf" };
  const answer = await fetch(`${program.apiUrl}/api/spans?limit=100000`, { headers });
  return await answer.bytes();
}

/** Returns the ledger, in spans. */
async function spansOf(program: RunningProgram): Promise<unknown> {
  const answer = await fetch(`${program.apiUrl}/api/stats`);
  return ((await answer.json()) as { spans: unknown }).spans;
}

/** Returns a digest of each span's bytes, in order. */
function digestsOf(spans: Uint8Array): unknown[] {
  const walked = createWalkedRequest({ spansPerRequest: 20_000, nestingDepth: 100 });
  walkRequest(walked, spans);
  return Array.from({ length: walked.spanCount }, (_, row) => {
    const at = walked.spanOffset[row]!;
    return Bun.hash(spans.subarray(at, at + walked.spanLength[row]!));
  });
}

/** Returns the events of the log without those of listeners. */
function eventsOf(program: RunningProgram): string[] {
  return program.log().flatMap(({ event }) => (event === "listening" ? [] : [event]));
}

test.each([
  { name: "without forwarding", more: {} },
  { name: "with forwarding", more: FORWARDING },
])("the next start restores each buffered span of a stop, $name", async ({ more }) => {
  const { env } = keeping();
  const requests = [serverRequest(500), requestOf(2), serverRequest(10_000)];

  await using first = await startProgram({ ...env, ...more, MAX_BUFFER_SIZE: "20000" });
  await send(first, ...requests);
  const exitCode = await first.stop();
  await using second = await startProgram({ ...env, ...more, MAX_BUFFER_SIZE: "20000" });
  const found = await requestIn(second);

  const spans = 10_502;
  expect(exitCode).toBe(0);
  expect(first.log().at(-2)).toMatchObject({ level: "INFO", event: "kept", spans });
  expect(first.log().at(-1)).toMatchObject({ event: "stopped", spans: { buffered: spans } });
  expect(second.log().find(({ event }) => event === "recovered")).toMatchObject({ spans });
  expect(digestsOf(found)).toHaveLength(spans);
  expect(digestsOf(found)).toEqual(digestsOf(joined(...requests)));
});

test("complete requests are restored byte for byte, and counted as received", async () => {
  const { env } = keeping();
  const requests = [requestOf(2), request(resourceSpans("till", span(7))), requestOf(3, 10)];

  await using first = await startProgram(env);
  await send(first, ...requests);
  await first.stop();
  await using second = await startProgram(env);

  expect((await requestIn(second)).toHex()).toBe(joined(...requests).toHex());
  expect(await spansOf(second)).toEqual(ledgerOf({ received: 6, accepted: 6, buffered: 6 }));
});

test("a stop under load keeps every acknowledged span", async () => {
  const { env } = keeping();
  const acknowledged: number[] = [];
  await using first = await startProgram({ ...env, MAX_BUFFER_SIZE: "100000" });
  let next = 1;
  const lanes = Array.from({ length: 4 }, async () => {
    for (let isUp = true; isUp;) {
      const number = next;
      next += 1;
      isUp = await isAccepted(first, requestOf(1, number));
      // Only once, because a third signal would end the program at once.
      if (isUp && acknowledged.push(number) === 200) first.signal("SIGTERM");
    }
  });

  await Promise.all(lanes);
  const exitCode = await first.exited;
  await using second = await startProgram({ ...env, MAX_BUFFER_SIZE: "100000" });
  const found = spanNumbers(await requestIn(second));

  expect(exitCode).toBe(0);
  expect(found.toSorted(byNumber)).toEqual(acknowledged.toSorted(byNumber));
});

async function isAccepted({ httpUrl }: RunningProgram, body: Uint8Array): Promise<boolean> {
  const headers = { "Content-Type": "application/x-protobuf" };
  return await fetch(`${httpUrl}/v1/traces`, { method: "POST", headers, body }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function byNumber(one: number, other: number): number {
  return one - other;
}

test("a kill loses new spans, but none that the last stop has kept", async () => {
  const { env } = keeping();
  await using first = await startProgram(env);
  await send(first, requestOf(3));
  await first.stop();
  await using second = await startProgram(env);
  await send(second, requestOf(2, 4));
  process.kill(second.pid, "SIGKILL");
  await second.exited;

  await using third = await startProgram(env);

  expect(spanNumbers(await requestIn(third))).toEqual([1, 2, 3]);
});

test("a stop that forwards without a directory logs lost spans by service", async () => {
  await using program = await startProgram(FORWARDING);
  await send(program, requestOf(2), request(resourceSpans("till", span(7))));

  const exitCode = await program.stop();

  expect(exitCode).toBe(5);
  expect(program.log().find(({ event }) => event === "lost")).toMatchObject({
    level: "WARNING",
    spans: 3,
    by_service: [
      { service: "shop", spans: 2 },
      { service: "till", spans: 1 },
    ],
    hint: expect.stringContaining("DATA_DIR"),
  });
});

test("a start with the former variable says what replaces it", async () => {
  const { exitCode, stderr } = await runProgram([], { SHUTDOWN_SPILL_FILE: "/spool/a.binpb" });

  expect(exitCode).toBe(2);
  expect(stderr).toContain('SHUTDOWN_SPILL_FILE="/spool/a.binpb"');
  expect(stderr).toContain("DATA_DIR, a directory, with DURABILITY=stop");
});

test("a start whose directory cannot be created fails with the reason", async () => {
  const { exitCode, stderr } = await runProgram([], { DATA_DIR: "/dev/null", DURABILITY: "stop" });

  expect(exitCode).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({
    level: "ERROR",
    event: "cannot_open_log",
    directory: "/dev/null",
    hint: expect.stringContaining("DATA_DIR"),
  });
});

test("a stop that cannot write logs the reason and the number of lost spans", async () => {
  const { path, env } = keeping();
  const large = { MAX_BUFFER_SIZE: "100000", MAX_DISK_BYTES: "1MiB" };
  await using program = await startProgram({ ...env, ...large });
  await send(program, requestOf(2_000));
  rmSync(path, { recursive: true });

  const exitCode = await program.stop();

  expect(exitCode).toBe(5);
  expect(eventsOf(program)).toContain("disk_failed");
  expect(program.log().at(-2)).toMatchObject({
    level: "ERROR",
    event: "lost",
    spans: 2_000,
    directory: path,
  });
});

/** Limits files to 64 KiB; writes beyond that fail, as on a full disk. */
const SMALL_FILES = ["sh", "-c", 'trap "" XFSZ; ulimit -f 64; exec "$@"', "sh"];

test("a stop on a full disk keeps what fits, and exits with the code for a loss", async () => {
  const { env } = keeping();
  const large = { ...env, MAX_BUFFER_SIZE: "100000" };
  await using program = await startProgram(large, { launcher: SMALL_FILES });
  await send(program, requestOf(5), requestOf(2_000, 6));

  const exitCode = await program.stop();
  await using next = await startProgram(large);
  const found = await requestIn(next);

  expect(exitCode).toBe(5);
  expect(eventsOf(program)).toContain("disk_failed");
  expect(program.log().at(-3)).toMatchObject({ level: "ERROR", event: "lost", spans: 2_000 });
  expect(program.log().at(-2)).toMatchObject({ event: "kept", spans: 5 });
  expect(spanNumbers(found)).toEqual([1, 2, 3, 4, 5]);
});

test.each([
  { name: "the rest is kept", isKept: true, event: "kept", exit: 0 },
  { name: "the rest is logged as lost", isKept: false, event: "lost", exit: 5 },
])("a second signal ends forwarding, and $name", async ({ isKept, event, exit }) => {
  const { env } = keeping();
  const pause = { FORWARD_RETRY_INITIAL_MS: "60000", FORWARD_RETRY_MAX_MS: "60000" };
  const patient = { ...FORWARDING, ...pause, SHUTDOWN_GRACE_MS: "60000" };
  await using program = await startProgram(isKept ? { ...patient, ...env } : patient);
  await send(program, requestOf(2));
  await program.logged("forward_backing_off");

  program.signal("SIGTERM");
  await program.logged("stopping");
  program.signal("SIGINT");
  const exitCode = await program.exited;

  expect(exitCode).toBe(exit);
  expect(eventsOf(program).slice(-4)).toEqual(["stopping", "grace_ended", event, "stopped"]);
  expect(program.log().at(-2)).toMatchObject({ spans: 2 });
});

test("without forwarding and without a directory, a stop logs no loss", async () => {
  await using program = await startProgram();
  await send(program, requestOf(2));

  await program.stop();

  expect(eventsOf(program)).toEqual(["ready", "stopping", "stopped"]);
});
