import { type Environment, readConfig } from "../../../src/config/config.ts";
import { VARIABLE_NAMES } from "../../../src/config/variables.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { payloadTarget } from "../fuzz-target.ts";
import { mutated } from "../mutation.ts";

const NAMES: readonly string[] = VARIABLE_NAMES;
const TEXTS = [
  "",
  "0",
  "1",
  "-1",
  "1.5",
  "65536",
  "64MiB",
  "9007199254740993GiB",
  "off",
  "true",
  "grpc",
  "gzip",
  "drop_oldest",
  "127.0.0.1",
  "[::1]:4317",
  "http://127.0.0.1:4318",
  "grpcs://collector.example:4317/x?y#z",
  "file:///spans.jsonl",
  "https://*.example, *",
  "authorization=Bearer%20x,b=%zz",
];

/** Checks that a configuration is accepted, or that each mistake names a known variable. */
export const CONFIGURATIONS = payloadTarget<Environment>({
  name: "configuration",
  share: 5,
  build: (random) => {
    const count = random.between(1, 4);
    return Object.fromEntries(Array.from({ length: count }, () => variable(random)));
  },
  check: (environment) => {
    const reading = readConfig(environment, () => []);
    if (reading.ok) return undefined;
    if (reading.mistakes.length === 0) return "refused without a mistake";
    const unnamed = reading.mistakes.find(({ variable: name }) => !NAMES.includes(name));
    return unnamed === undefined ? undefined : `no variable is ${unnamed.variable}`;
  },
  show: (environment) => JSON.stringify(environment),
});

function variable(random: SeededRandom): [string, string] {
  const text = random.pick(TEXTS);
  if (random.chance(0.5)) return [random.pick(NAMES), text];
  const bytes = mutated(new TextEncoder().encode(text), random);
  return [random.pick(NAMES), new TextDecoder().decode(bytes)];
}
