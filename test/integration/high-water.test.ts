import { expect, test } from "bun:test";
import { exportOverHttp } from "../support/running/export-over-http.ts";
import { requestOf } from "../support/requests/request-bytes.ts";
import { startProgram } from "../support/running/running-program.ts";

// Goal: a failing upstream is reported before it causes a loss.

test("a filling buffer is reported in the log and by readiness, and receives spans", async () => {
  await using program = await startProgram({
    FORWARD_ENDPOINT: "http://127.0.0.1:1",
    FORWARD_HIGH_WATER: "70",
    SHUTDOWN_GRACE_MS: "1",
    MAX_BUFFER_SIZE: "10",
  });
  const readiness = async () => await (await fetch(`${program.apiUrl}/readyz`)).json();

  const before = await readiness();
  await exportOverHttp(program.httpUrl, requestOf(7));
  const line = await program.logged("high_water");
  const after = await readiness();
  await exportOverHttp(program.httpUrl, requestOf(1, 8));

  expect(before).toMatchObject({ status: "ready", high_water: false });
  expect(line).toMatchObject({ level: "WARNING", used_percent: 70, high_water_percent: 70 });
  expect(after).toMatchObject({ status: "ready", high_water: true });
});

test("the high-water mark is logged before a loss, even if one request causes both", async () => {
  await using program = await startProgram({
    FORWARD_ENDPOINT: "http://127.0.0.1:1",
    SHUTDOWN_GRACE_MS: "1",
    MAX_BUFFER_SIZE: "10",
  });

  await exportOverHttp(program.httpUrl, requestOf(11));
  await program.logged("problem");

  const events = program.log().map(({ event }) => event);
  expect(events.indexOf("high_water")).toBeWithin(0, events.indexOf("problem"));
});
