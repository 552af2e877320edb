import { expect, test } from "bun:test";
import { chunksOf, lengthDelimited, textBytes } from "../../../support/requests/byte-chunks.ts";
import {
  type Answer,
  startFakeServer,
  stopFakeServersAfterEach,
  unusedUrl,
} from "../../../support/fakes/fake-api.ts";
import { HandMovedSleep } from "../../../support/fakes/hand-moved-sleep.ts";
import { runAgainstFake } from "../../../support/running/run-against-fake.ts";
import { threeSpans } from "../../../support/fakes/api-answers.ts";
import { exportSuccess } from "../../../support/upstreams/otlp-receiver.ts";
import { runCommands } from "../../../support/running/run-command-line.ts";
import {
  accept,
  base64,
  filesIn,
  LINES,
  REQUESTS,
  send,
} from "../../../support/upstreams/sending.ts";
import { temporaryFolder } from "../../../support/running/temporary-folder.ts";

stopFakeServersAfterEach();

const folder = temporaryFolder();
const file = filesIn(folder);
const JSONL = file("spans.jsonl", `${LINES.join("\n")}\n`);
const BINPB = file("spans.binpb", lengthDelimited(...REQUESTS));
const BARE = file("bare.bin", REQUESTS[0]);
const CUT = file("cut.binpb", lengthDelimited(...REQUESTS).subarray(0, -5));

const silent = () => new Promise<Response>(() => {});

test.each([
  { name: "JSON lines", path: JSONL, type: "application/json", bodies: base64(LINES), spans: 6 },
  {
    name: "length-delimited requests",
    path: BINPB,
    type: "application/x-protobuf",
    bodies: base64(REQUESTS),
    spans: 6,
  },
  {
    name: "one bare request",
    path: BARE,
    type: "application/x-protobuf",
    bodies: base64(REQUESTS.slice(0, 1)),
    spans: 3,
  },
])("$name: the bytes of the file are sent unchanged", async ({ path, type, bodies, spans }) => {
  const end = await send([path]);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.bodies.toSorted()).toEqual(bodies.toSorted());
  expect(end.stdout).toStartWith(`sent ${spans} spans in ${bodies.length} request`);
  expect(new Set(end.requestLines)).toEqual(new Set(["POST /v1/traces"]));
  const types = end.requests.map(({ headers }) => headers.get("content-type"));
  expect(new Set(types)).toEqual(new Set([type]));
});

test("several files and standard input are sent in one run", async () => {
  const stdin = chunksOf(textBytes(LINES.join("\n")), 10);

  const end = await send([BARE, "-", BINPB], accept, { stdin });

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 15 spans in 7 requests");
});

test("the path /v1/traces is appended to a URL unless the URL has it already", async () => {
  const receiver = startFakeServer(accept);

  await runCommands(["send", "--to", `${receiver.url}/v1/traces/`, BARE]);
  await runCommands(["send", "--to", `${receiver.url}/otlp/`, BARE]);

  expect(receiver.requests.map(({ path }) => path)).toEqual(["/v1/traces", "/otlp/v1/traces"]);
});

test("broken parts are skipped and reported with their position; the rest is sent", async () => {
  const torn = [LINES[0], LINES[1]!.slice(0, 40), LINES[1], LINES[2]].join("\n");

  const cut = await send([CUT, BARE]);
  const middle = await send([file("middle.jsonl", torn)]);

  expect([cut.exitCode, middle.exitCode]).toEqual([1, 1]);
  expect(cut.bodies.toSorted()).toEqual(base64([REQUESTS[0], REQUESTS[0], REQUESTS[1]]).toSorted());
  expect(cut.stderr).toMatch(
    /^spanring: \S+cut\.binpb: byte \d+: truncated: [^;]*; \d+ B skipped\n$/,
  );
  expect(middle.bodies.toSorted()).toEqual(base64(LINES).toSorted());
  expect(middle.stderr).toMatch(
    /^spanring: \S+middle\.jsonl: line 2: incomplete or invalid JSON: [^;]*; 41 B skipped\n$/,
  );
});

test("ten broken parts are listed, and the remaining ones are counted", async () => {
  const path = file("worn.jsonl", `{"a":\n${LINES[1]}\n`.repeat(500));

  const end = await send([path, path]);

  expect(end.exitCode).toBe(1);
  expect(end.stdout).toStartWith("sent 1,000 spans in 1,000 requests");
  const reported = end.stderr.trimEnd().split("\n");
  expect(reported).toHaveLength(11);
  expect(reported[9]).toMatch(/worn\.jsonl: line 19: incomplete or invalid JSON/);
  expect(reported[10]).toBe("spanring: 990 more broken parts skipped (5.80 KiB)");
});

test("a read error is reported in one line, and the other files are still sent", async () => {
  const end = await send(["-", "/proc/self/mem", "/dev/null", BARE], accept, { stdin: failing() });

  expect(end.exitCode).toBe(1);
  expect(end.bodies.toSorted()).toEqual(base64([LINES[0]!, REQUESTS[0]]).toSorted());
  const at = LINES[0]!.length + 1;
  const reason = "cannot read further: the device reports a read or write error";
  expect(end.stderr).toBe(
    `spanring: standard input: byte ${at}: ${reason}\n` +
      `spanring: /proc/self/mem: byte 0: ${reason}\n`,
  );
});

async function* failing() {
  yield textBytes(`${LINES[0]}\n`);
  throw new Error("EIO: i/o error, read");
}

test("the output of take can be sent", async () => {
  const [one, other] = await Promise.all([
    runAgainstFake(["take"], threeSpans),
    runAgainstFake(["take", "--json"], threeSpans),
  ]);
  const path = file("taken.ndjson", one.stdout + one.stdout + other.stdout);

  const end = await send([path]);

  expect(end).toMatchObject({ exitCode: 0, stderr: "" });
  expect(end.stdout).toStartWith("sent 9 spans in 2 requests");
});

test("Ctrl-C ends the wait for more input", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const answer: Answer = async (request) => {
    stop();
    return await accept(request);
  };
  const end = await send(["-"], answer, { stdin: idle(), stopped: () => stopped });

  expect(end).toMatchObject({ exitCode: 130 });
  expect(end.stderr).toEndWith("interrupted; the rest was not sent\n");
});

async function* idle() {
  yield textBytes(`${LINES[0]}\n`);
  await new Promise(() => {});
}

const rejectOne: Answer = ({ headers }) =>
  exportSuccess(headers.get("content-type")!, 1, "bad\u001b[2J id");

test("rejected spans are reported and make send fail", async () => {
  const binary = await send([BARE], rejectOne);
  const json = await send([JSONL], rejectOne);

  expect(binary.exitCode).toBe(1);
  expect(binary.stdout).toStartWith("sent 2 spans in 1 request");
  expect(binary.stderr).toBe(
    "spanring: 1 span rejected\nspanring: the receiver says: bad\\x1b[2J id\n",
  );
  expect(json).toMatchObject({ exitCode: 1 });
  expect(json.stderr).toStartWith("spanring: 3 spans rejected\n");
});

test("a warning about accepted spans is reported, but send succeeds", async () => {
  const end = await send([BARE], () => exportSuccess("application/json", 0, "slow down"));

  expect(end.exitCode).toBe(0);
  expect(end.stderr).toBe("spanring: the receiver says: slow down\n");
});

test("metrics and logs in a file are skipped and reported", async () => {
  const path = file("mixed.jsonl", `{"resourceLogs":[]}\n${LINES[0]}\n`);

  const end = await send([path]);

  expect(end).toMatchObject({ exitCode: 0 });
  expect(end.requestLines).toHaveLength(1);
  expect(end.stderr).toBe("spanring: 1 request with metrics or logs skipped\n");
});

test("a progress bar is drawn on the terminal and erased at the end", async () => {
  const end = await send([BINPB], accept, { columns: 80 });

  expect(end.stderr).toContain("\r\u001b[K▕");
  expect(end.stderr).toEndWith("\r\u001b[K");
  expect(end.stdout).not.toContain("\r");
});

test.each([
  { signal: "SIGINT", exitCode: 130 },
  { signal: "SIGTERM", exitCode: 143 },
])("$signal stops sending, and the result so far is reported", async ({ signal, exitCode }) => {
  const { promise: stopped, resolve } = Promise.withResolvers<string>();
  const stop = (): void => resolve(signal);
  let count = 0;
  const answer: Answer = async (request) => {
    count += 1;
    if (count === 2) stop();
    return await accept(request);
  };
  const big = file("many.jsonl", Array<string>(500).fill(LINES[0]!).join("\n"));

  const end = await send([big], answer, { stopped: () => stopped });

  expect(end.exitCode).toBe(exitCode);
  expect(end.stdout).toStartWith("sent ");
  expect(end.stderr).toEndWith("interrupted; the rest was not sent\n");
  expect(end.requestLines.length).toBeLessThan(500);
});

test("Ctrl-C waits a second for a receiver that does not respond", async () => {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<void>();
  const answer: Answer = () => {
    stop();
    return silent();
  };

  const end = await send([BARE], answer, { stopped: () => stopped });

  expect(end.exitCode).toBe(130);
  expect(end.clock.sleptMs).toEqual([1_000]);
  expect(end.stdout).toStartWith("sent 0 spans in 0 requests");
});

test("an unreachable receiver is reported with its URL and a hint", async () => {
  const url = await unusedUrl();

  const end = await runCommands(["send", "--to", url, BARE]);

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(end.stderr).toStartWith(`spanring: cannot send to ${url}/v1/traces: `);
  expect(end.stderr).toContain("--to");
});

test("send gives up after 60 s on a receiver that accepts connections only", async () => {
  const clock = new HandMovedSleep();

  const end = await send([BARE], silent, { clock });

  expect(end).toMatchObject({ exitCode: 3, stdout: "" });
  expect(clock.sleptMs).toContain(60_000);
  expect(end.stderr).toStartWith(
    `spanring: cannot send to ${end.url}/v1/traces: it has not responded within 60 s\n`,
  );
});

test("the result so far is reported if the receiver disappears", async () => {
  const receiver = startFakeServer(async (request) => {
    if (receiver.requests.length > 2) await receiver.stop();
    return await accept(request);
  });
  const big = file("lost.jsonl", Array<string>(100).fill(LINES[0]!).join("\n"));

  const end = await runCommands(["send", "--to", receiver.url, big]);

  expect(end.exitCode).toBe(3);
  expect(end.stdout).toStartWith("sent ");
  expect(end.stderr).toContain(`lost ${receiver.url}/v1/traces: `);
});

test.each([
  { argv: ["nowhere.jsonl"], message: 'cannot read "nowhere.jsonl": no such file or folder' },
  { argv: [folder], message: "is a folder, not a file" },
  { argv: ["--rate", "0", BARE], message: "--rate must be a number of spans per second" },
  { argv: ["--rate", "fast", BARE], message: "--rate must be a number of spans per second" },
  { argv: ["--pace=fast", BARE], message: "--pace must be a factor, such as 10x" },
  { argv: ["--rate", "1", "--pace", BARE], message: "--rate and --pace cannot be combined" },
])("$argv is refused before anything is sent: $message", async ({ argv, message }) => {
  const end = await send(argv);

  expect(end).toMatchObject({ exitCode: 2, stdout: "" });
  expect(end.stderr).toContain(message);
  expect(end.requestLines).toEqual([]);
});

test("an invalid URL is refused", async () => {
  const end = await runCommands(["send", "--to", "127.0.0.1:4318", BARE]);

  expect(end).toMatchObject({ exitCode: 2 });
  expect(end.stderr).toContain('--to is "127.0.0.1:4318"; it must be a URL');
  expect(end.stderr).toEndWith(", such as http://127.0.0.1:4318, or unix:/PATH\n");
});
