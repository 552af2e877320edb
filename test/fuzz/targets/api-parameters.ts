import { readParameters } from "../../../src/adapters/read-api/query.ts";
import { ROUTES } from "../../../src/adapters/read-api/routes.ts";
import { CONDITION_NAMES } from "../../../src/domain/query/span-filter.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { payloadTarget } from "../fuzz-target.ts";
import { mutated } from "../mutation.ts";

const NAMES = [
  ...CONDITION_NAMES,
  ...ROUTES.flatMap(({ queryParameters }) => Object.keys(queryParameters)),
];
const TEXTS = [
  "0",
  "10000",
  "-1",
  "1e3",
  "250ms",
  "1.5s",
  "5m",
  "server",
  "error",
  "key=value",
  "=",
  "0af7651916cd43dd8448eb211c80319c",
  "b7ad6b7169203331",
  "3f9a0c5e7b21d804-17",
  "2026-01-01T00:00:00Z",
  "1700000000000000000",
  "%ff%00",
];
const NOW_UNIX_NANO = 1_800_000_000_000_000_000n;

interface Query {
  readonly route: (typeof ROUTES)[number];
  readonly text: string;
}

/** Checks that parameters are accepted, or refused with status 400 and a detail. */
export const API_PARAMETERS = payloadTarget<Query>({
  name: "parameters",
  share: 10,
  build: (random) => {
    const pairs = Array.from({ length: random.between(0, 4) }, () => pair(random));
    return { route: random.pick(ROUTES), text: pairs.join(random.chance(0.95) ? "&" : ";") };
  },
  check: ({ route, text }) => {
    const given = { path: {}, query: new URLSearchParams(text) };
    const reading = readParameters(route, given, NOW_UNIX_NANO);
    if ("values" in reading) return undefined;
    const isComplete = reading.status === 400 && (reading.detail ?? "").length > 0;
    return isComplete ? undefined : `refused as ${JSON.stringify(reading)}`;
  },
  show: ({ text }) => JSON.stringify(text),
});

function pair(random: SeededRandom): string {
  const [name, text] = [random.pick(NAMES), random.pick(TEXTS)];
  if (random.chance(0.5)) return `${name}=${text}`;
  return new TextDecoder().decode(mutated(new TextEncoder().encode(`${name}=${text}`), random));
}
