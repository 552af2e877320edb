import { expect, test } from "bun:test";
import { renameSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ForwardFiles,
  forwardPaths,
  parseForwardFiles,
} from "../../../src/adapters/forward/forward-files.ts";
import { ReloadingSink } from "../../../src/adapters/forward/reloading-sink.ts";
import { CHECK_INTERVAL_MS, loadFiles } from "../../../src/adapters/listening/reloaded-files.ts";
import type { Environment } from "../../../src/config/config.ts";
import type { SendOutcome } from "../../../src/ports/span-sink.ts";
import { makeCertificates } from "../../support/upstreams/certificates.ts";
import { FakeSink } from "../../support/fakes/fake-sink.ts";
import { forwardConfig } from "../../support/fakes/forward-config.ts";
import { HandMovedClock } from "../../support/fakes/hand-moved-clock.ts";
import { RecordingLogger } from "../../support/fakes/recording-logger.ts";
import { batchOf, never } from "../../support/requests/span-batch.ts";
import { temporaryFolder } from "../../support/running/temporary-folder.ts";

const folder = temporaryFolder();
const HEADERS = join(folder, "headers");
const { client, stranger } = makeCertificates();

/** Opens a sink whose generations are fakes; `made` lists them in order. */
async function open(env: Environment) {
  const forward = forwardConfig({ FORWARD_ENDPOINT: "grpcs://up", ...env });
  const [clock, logger] = [new HandMovedClock(), new RecordingLogger()];
  const made: { files: ForwardFiles; sink: FakeSink }[] = [];
  const make = (files: ForwardFiles) => {
    const sink = new FakeSink();
    made.push({ files, sink });
    return sink;
  };
  const contents = await loadFiles(forwardPaths(forward));
  const files = parseForwardFiles(forward, contents);
  if ("mistakes" in files) throw new Error(JSON.stringify(files.mistakes));
  const sink = new ReloadingSink({ forward, make, clock, logger }, { contents, files });
  const headersMade = () => made.map((each) => each.files.headers.map(([, value]) => value));
  return { sink, clock, logger, made, headersMade };
}

async function openWithToken(token: string) {
  writeFileSync(HEADERS, `token=${token}`);
  return await open({ FORWARD_HEADERS_FILE: HEADERS });
}

test("files are checked again after the interval, and not before", async () => {
  const { sink, clock, headersMade } = await openWithToken("one");
  writeFileSync(HEADERS, "token=two");

  clock.moveMs(CHECK_INTERVAL_MS - 1);
  await sink.send(batchOf(1), never);
  const before = headersMade();
  clock.moveMs(1);
  await sink.send(batchOf(1), never);

  expect([before, headersMade()]).toEqual([[["one"]], [["one"], ["two"]]]);
});

test.each<{ outcome: SendOutcome; isReason: boolean }>([
  { outcome: { outcome: "retry", message: "certificate" }, isReason: true },
  { outcome: { outcome: "blocked", reason: "forbidden", message: "403" }, isReason: true },
  { outcome: { outcome: "refused", reason: "invalid", message: "400" }, isReason: false },
  { outcome: { outcome: "delivered" }, isReason: false },
  { outcome: { outcome: "too_large", message: "413" }, isReason: false },
])(
  "the files are checked after the outcome $outcome.outcome: $isReason",
  async ({ outcome, isReason }) => {
    const { sink, made, headersMade } = await openWithToken("one");
    made[0]!.sink.answer = () => outcome;
    await sink.send(batchOf(1), never);
    writeFileSync(HEADERS, "token=two");

    await sink.send(batchOf(1), never);

    expect(headersMade().length).toBe(isReason ? 2 : 1);
  },
);

test.each([
  { name: "written in place", replace: (text: string) => writeFileSync(HEADERS, text) },
  {
    name: "renamed into place",
    replace: (text: string) => {
      writeFileSync(`${HEADERS}.new`, text);
      renameSync(`${HEADERS}.new`, HEADERS);
    },
  },
  {
    name: "replaced behind a link",
    replace: (text: string) => {
      writeFileSync(`${HEADERS}.data`, text);
      unlinkSync(HEADERS);
      symlinkSync(`${HEADERS}.data`, HEADERS);
    },
  },
])("a file that was $name is reloaded although its size is the same", async ({ replace }) => {
  const { sink, logger, headersMade } = await openWithToken("one");

  replace("token=two");
  await sink.reload();

  expect(headersMade()).toEqual([["one"], ["two"]]);
  expect(logger.lines).toEqual([
    { level: "info", event: "forward_reloaded", fields: { files: ["FORWARD_HEADERS_FILE"] } },
  ]);
  unlinkSync(HEADERS);
});

test("unchanged files cause no new sink and no log line", async () => {
  const { sink, logger, made } = await openWithToken("one");

  await sink.reload();

  expect([made.length, logger.lines]).toEqual([1, []]);
});

test("without files, nothing is reloaded", async () => {
  const { sink, clock, made } = await open({ FORWARD_HEADERS: "token=one" });

  clock.moveMs(CHECK_INTERVAL_MS);
  await sink.send(batchOf(1), never);
  await sink.reload();

  expect(made.length).toBe(1);
});

test("a send in flight ends with the old files, and their sink is closed after it", async () => {
  const { sink, made } = await openWithToken("one");
  made[0]!.sink.answer = () => "held";
  const sending = sink.send(batchOf(1), never);
  writeFileSync(HEADERS, "token=two");

  await sink.reload();
  const isClosedBefore = made[0]!.sink.isClosed;
  const second = await sink.send(batchOf(2), never);
  made[0]!.sink.held[0]!.settle({ outcome: "delivered" });

  expect([await sending, second]).toEqual([{ outcome: "delivered" }, { outcome: "delivered" }]);
  expect(made.map(({ sink: { sent } }) => sent.map(({ spanCount }) => spanCount))).toEqual([
    [1],
    [2],
  ]);
  await Bun.sleep(0);
  expect([isClosedBefore, made[0]!.sink.isClosed, made[1]!.sink.isClosed]).toEqual([
    false,
    true,
    false,
  ]);
});

test("files with a mistake are not used, and the mistake is logged once", async () => {
  const { sink, logger, made, headersMade } = await openWithToken("one");
  writeFileSync(HEADERS, "no header");

  await sink.reload();
  await sink.reload();
  const whileWrong = await sink.send(batchOf(1), never);
  writeFileSync(HEADERS, "token=two");
  await sink.reload();

  expect([whileWrong, made[0]!.sink.sent.length]).toEqual([{ outcome: "delivered" }, 1]);
  expect(headersMade()).toEqual([["one"], ["two"]]);
  expect(logger.lines.map(({ level, event }) => [level, event])).toEqual([
    ["warning", "cannot_reload"],
    ["info", "forward_reloaded"],
  ]);
  expect(logger.lines[0]!.fields).toMatchObject({ variable: "FORWARD_HEADERS_FILE" });
});

test("reload() returns whether the current contents of the files are in use", async () => {
  const { sink } = await openWithToken("one");
  const unchanged = await sink.reload();

  writeFileSync(HEADERS, "no header");
  const wrong = [await sink.reload(), await sink.reload()];
  writeFileSync(HEADERS, "token=two");
  const changed = await sink.reload();

  expect([unchanged, wrong, changed]).toEqual([true, [false, false], true]);
});

test("a new certificate is not used before its key has been replaced too", async () => {
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  writeFileSync(cert, client.cert);
  writeFileSync(key, client.key);
  const env = { FORWARD_TLS_CERT_FILE: cert, FORWARD_TLS_KEY_FILE: key };
  const { sink, logger, made } = await open(env);

  writeFileSync(cert, stranger.cert);
  await sink.reload();
  const without = made.length;
  writeFileSync(key, stranger.key);
  await sink.reload();

  expect([without, made.length]).toEqual([1, 2]);
  expect(made[1]!.files.tls.key?.toString()).toBe(stranger.key);
  expect(logger.lines.at(-1)!.fields).toEqual({
    files: ["FORWARD_TLS_CERT_FILE", "FORWARD_TLS_KEY_FILE"],
  });
});

test("a missing file does not stop sending", async () => {
  const { sink, made, logger } = await openWithToken("one");

  unlinkSync(HEADERS);
  await sink.reload();
  const without = await sink.send(batchOf(1), never);
  writeFileSync(HEADERS, "token=one");
  await sink.reload();

  expect(without).toEqual({ outcome: "delivered" });
  expect(made[0]!.sink.sent.length).toBe(1);
  expect([made.length, logger.lines.map(({ event }) => event)]).toEqual([1, ["cannot_reload"]]);
});

test("close() closes all generations and makes no new one", async () => {
  const { sink, made } = await openWithToken("one");
  made[0]!.sink.answer = () => "held";
  const sending = sink.send(batchOf(1), never);
  writeFileSync(HEADERS, "token=two");
  await sink.reload();

  await sink.close();
  writeFileSync(HEADERS, "token=three");
  await sink.reload();

  expect(await sending).toMatchObject({ outcome: "retry" });
  expect(made.map(({ sink: { isClosed } }) => isClosed)).toEqual([true, true]);
});
