import type { Attack } from "./attack-case.ts";
import { COMPRESSED } from "./attacks/compressed.ts";
import { CONNECTIONS } from "./attacks/connections.ts";
import { DESCRIPTORS } from "./attacks/descriptors.ts";
import { FLOODS } from "./attacks/floods.ts";
import { GRPC_FRAMES } from "./attacks/grpc-frames.ts";
import { HEADERS } from "./attacks/headers.ts";
import { HTTP_BODIES } from "./attacks/http-bodies.ts";
import { READ_API } from "./attacks/read-api.ts";
import { SHUTDOWN } from "./attacks/shutdown.ts";
import { WRONG_TOKENS } from "./attacks/wrong-tokens.ts";

const SINGLE: readonly Attack[] = [
  ...HTTP_BODIES,
  ...COMPRESSED,
  ...GRPC_FRAMES,
  ...HEADERS,
  ...READ_API,
  ...CONNECTIONS,
  ...DESCRIPTORS,
  ...FLOODS,
  ...WRONG_TOKENS,
  ...SHUTDOWN,
];

const TOGETHER = [
  "http-one-byte-chunks",
  "json-empty-spans",
  "protobuf-empty-fields",
  "zstd-bombs",
  "grpc-gzip-bombs",
  "grpc-pipelined-unread",
  "grpc-one-byte-frames-2",
  "grpc-headers-16",
  "api-pipelined-unread",
  "api-full-ring-json",
  "api-unread-tails",
  "grpc-wrong-protocol",
  "grpc-priority-flood",
  "http-rapid-reset",
];

/** The last row: fourteen attacks at once. */
const AT_ONCE: Attack = {
  name: "fourteen-at-once",
  does: `at once: ${TOGETHER.join(", ")}`,
  expected: "known to fail",
  fillsRing: true,
  run: async (field) => {
    const attacks = SINGLE.filter(({ name }) => TOGETHER.includes(name));
    await Promise.all(attacks.map(({ run }) => run(field)));
  },
};

export const ATTACKS: readonly Attack[] = [...SINGLE, AT_ONCE];

export function attackNamed(name: string): Attack {
  const attack = ATTACKS.find((each) => each.name === name);
  if (attack === undefined) throw new Error(`unknown attack "${name}"`);
  return attack;
}
