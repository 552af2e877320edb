import { expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { walkRequest } from "../../src/domain/wire/request-walk.ts";
import { createWalkedRequest } from "../../src/domain/wire/walked-request.ts";
import { ledgerOf } from "../support/oracles/ledger-of.ts";
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

// Goal: the next start restores every span of a stop, and lost spans are reported.

const root = temporaryFolder();

/** The upstream does not listen, so that no span is delivered. */
const FORWARDING = { FORWARD_ENDPOINT: "http://127.0.0.1:1", SHUTDOWN_GRACE_MS: "1" };

function spillFile() {
  const folder = mkdtempSync(join(root, "spill-"));
  const path = join(folder, "spill.binpb");
  return { path, env: { SHUTDOWN_SPILL_FILE: path }, names: () => readdirSync(folder).toSorted() };
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
  const { env, names } = spillFile();
  const requests = [serverRequest(500), requestOf(2), serverRequest(10_000)];

  await using first = await startProgram({ ...env, ...more, MAX_BUFFER_SIZE: "20000" });
  await send(first, ...requests);
  const exitCode = await first.stop();
  const left = names();
  await using second = await startProgram({ ...env, ...more, MAX_BUFFER_SIZE: "20000" });
  const found = await requestIn(second);
  const now = names();

  const spans = 10_502;
  expect(exitCode).toBe(0);
  expect(left).toEqual(["spill.binpb"]);
  expect(now).toEqual([]);
  expect(first.log().at(-2)).toMatchObject({ level: "INFO", event: "spilled", spans });
  expect(first.log().at(-1)).toMatchObject({ event: "stopped", spans: { buffered: spans } });
  expect(second.log().find(({ event }) => event === "restored")).toMatchObject({ spans });
  expect(digestsOf(found)).toHaveLength(spans);
  expect(digestsOf(found)).toEqual(digestsOf(joined(...requests)));
});

test("complete requests are restored byte for byte", async () => {
  const { env } = spillFile();
  const requests = [requestOf(2), request(resourceSpans("till", span(7))), requestOf(3, 10)];

  await using first = await startProgram(env);
  await send(first, ...requests);
  await first.stop();
  await using second = await startProgram(env);

  expect((await requestIn(second)).toHex()).toBe(joined(...requests).toHex());
  expect(await spansOf(second)).toEqual(ledgerOf({ received: 6, accepted: 6, buffered: 6 }));
});

test("a smaller buffer restores as many spans as fit and leaves the rest in the file", async () => {
  const { env, path, names } = spillFile();

  await using first = await startProgram(env);
  await send(first, requestOf(5), requestOf(5, 6));
  await first.stop();
  await using second = await startProgram({
    ...env,
    MAX_BUFFER_SIZE: "4",
    MAX_SPANS_PER_REQUEST: "3",
  });

  expect(await spansOf(second)).toEqual(ledgerOf({ received: 3, accepted: 3, buffered: 3 }));
  expect(eventsOf(second)).toEqual(["restored", "not_all_restored", "ready"]);
  expect(second.log().find(({ event }) => event === "not_all_restored")).toMatchObject({
    level: "WARNING",
    file: path,
    restored_spans: 3,
    left_spans: 7,
  });
  expect(names()).toEqual(["spill.binpb"]);
});

test("several starts with a smaller buffer restore all spans, each once", async () => {
  const { env, names } = spillFile();
  const small = { ...env, MAX_BUFFER_SIZE: "4" };

  await using first = await startProgram(env);
  await send(first, requestOf(3), requestOf(3, 4));
  await first.stop();
  await using second = await startProgram(small);
  await second.stop();
  const left = names();
  await using third = await startProgram(env);
  const found = digestsOf(await requestIn(third));

  expect(left).toEqual(["spill.binpb"]);
  expect(names()).toEqual([]);
  expect(found.toSorted()).toEqual(digestsOf(requestOf(6)).toSorted());
});

test("a start restores a broken file up to the fault and sets it aside", async () => {
  const { env, path, names } = spillFile();

  await using first = await startProgram({ ...env });
  await send(first, requestOf(5));
  await first.stop();
  const whole = readFileSync(path);
  writeFileSync(path, Buffer.concat([whole, whole]));
  truncateSync(path, whole.length * 2 - 3);
  await using second = await startProgram(env);
  const found = await requestIn(second);

  expect(found.toHex()).toBe(requestOf(5).toHex());
  expect(names()).toEqual(["spill.binpb.unread"]);
  expect(second.log().find(({ event }) => event === "cannot_restore")).toMatchObject({
    level: "ERROR",
    file: path,
    restored_spans: 5,
    reason: expect.stringContaining("truncated"),
    set_aside: `${path}.unread`,
  });
});

test("the file of a killed stop is reported and kept, and can be sent", async () => {
  const { env, path, names } = spillFile();
  const hidden = join(dirname(path), ".spill.binpb.5f3a9c01");
  await using first = await startProgram(env);
  await send(first, requestOf(5));
  await first.stop();
  // A stop that is killed between reserving the name and renaming the file leaves these two.
  renameSync(path, hidden);
  writeFileSync(path, "");

  await using second = await startProgram(env);
  const left = names();
  const sending = await runProgram(["send", "--to", second.httpUrl, hidden]);

  expect(second.log().find(({ event }) => event === "spill_leftovers")).toMatchObject({
    level: "WARNING",
    count: 1,
    files: [hidden],
    hint: expect.stringContaining(`spanring send ${hidden} `),
  });
  expect(left).toEqual([".spill.binpb.5f3a9c01"]);
  expect(sending).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await requestIn(second)).toHex()).toBe(requestOf(5).toHex());
});

test("a stop that forwards without a spill file logs lost spans by service", async () => {
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
    hint: expect.stringContaining("SHUTDOWN_SPILL_FILE"),
  });
});

test("a spill file that is not a regular file is refused, and no file is written", async () => {
  const folder = mkdtempSync(join(root, "device-"));
  const path = join(folder, "device");
  symlinkSync("/dev/null", path);

  const { exitCode, stderr } = await runProgram([], { SHUTDOWN_SPILL_FILE: path });

  expect(exitCode).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({
    event: "cannot_spill",
    file: path,
    reason: "it is not a regular file",
  });
  expect(readdirSync(folder)).toEqual(["device"]);
});

test("a start whose spill file cannot be written fails with the reason", async () => {
  const { path } = spillFile();
  const missing = join(path, "missing", "a");

  const { exitCode, stderr } = await runProgram([], { SHUTDOWN_SPILL_FILE: missing });

  expect(exitCode).toBe(1);
  expect(JSON.parse(stderr)).toMatchObject({
    level: "ERROR",
    event: "cannot_spill",
    file: missing,
    reason: expect.stringContaining("no such file or folder"),
    hint: expect.stringContaining("SHUTDOWN_SPILL_FILE"),
  });
});

test("a stop that cannot write its spill file logs the reason and the lost spans", async () => {
  const { path, env } = spillFile();
  await using program = await startProgram(env);
  await send(program, requestOf(2));
  rmSync(dirname(path), { recursive: true });

  const exitCode = await program.stop();

  expect(exitCode).toBe(5);
  expect(eventsOf(program)).toEqual(["ready", "stopping", "cannot_spill", "lost", "stopped"]);
});

test.each([
  { name: "the rest is spilled", isKept: true, event: "spilled", exit: 0 },
  { name: "the rest is logged as lost", isKept: false, event: "lost", exit: 5 },
])("a second signal ends forwarding, and $name", async ({ isKept, event, exit }) => {
  const { env } = spillFile();
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

test("without forwarding and without a spill file, a stop logs no loss", async () => {
  await using program = await startProgram();
  await send(program, requestOf(2));

  await program.stop();

  expect(eventsOf(program)).toEqual(["ready", "stopping", "stopped"]);
});
