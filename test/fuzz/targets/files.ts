import { otlpJson } from "../../../src/adapters/otlp/json/otlp-json.ts";
import type { SeededRandom } from "../../support/disk/seeded-random.ts";
import { lengthDelimited } from "../../support/requests/byte-chunks.ts";
import { itemsOf, read } from "../../support/requests/file-items.ts";
import { requestOf } from "../../support/requests/request-bytes.ts";
import { base64, payloadTarget } from "../fuzz-target.ts";
import { protobufMessage } from "../grammar/protobuf-grammar.ts";
import { mutated } from "../mutation.ts";

interface ReadFile {
  readonly bytes: Uint8Array;
  readonly chunkBytes: number;
}

const GOOD = requestOf(2);

/**
 * The format is recognised from the first chunk. If its beginning is damaged, a longer chunk may
 * still reveal the format, and a shorter one may not.
 */
const UNDECIDED = /neither OTLP\/JSON nor protobuf/;

/** Checks that any file is read to its end, with the same result for any chunks. */
export const FILES = payloadTarget<ReadFile>({
  name: "files",
  share: 5,
  build: (random) => {
    const isText = random.chance(0.5);
    const frames = Array.from({ length: random.between(1, 4) }, () => frame(random, isText));
    const whole = new Uint8Array(Buffer.concat(frames));
    const bytes = random.chance(0.3) ? whole : mutated(whole, random);
    return { bytes, chunkBytes: random.between(1, 64) };
  },
  check: async ({ bytes, chunkBytes }) => {
    const inPieces = (await itemsOf(bytes, chunkBytes)).map(read).join("\n");
    const atOnce = (await itemsOf(bytes, 8_192)).map(read).join("\n");
    if (UNDECIDED.test(inPieces) || UNDECIDED.test(atOnce)) return undefined;
    return inPieces === atOnce ? undefined : `in chunks:\n${inPieces}\nat once:\n${atOnce}`;
  },
  show: ({ bytes, chunkBytes }) => `${base64(bytes)} in chunks of ${chunkBytes}`,
});

function frame(random: SeededRandom, isText: boolean): Uint8Array {
  const message = random.chance(0.7) ? GOOD : Uint8Array.from(protobufMessage(random));
  if (!isText) return lengthDelimited(message);
  return Buffer.from(`${random.chance(0.9) ? otlpJson(message) : "{}"}\n`);
}
