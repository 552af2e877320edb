/** A value in the header of an RPM package. Source: the RPM V4 package format. */
export type RpmValue =
  | { readonly int16: readonly number[] }
  | { readonly int32: readonly number[] }
  | { readonly text: string }
  | { readonly bytes: Uint8Array }
  | { readonly texts: readonly string[] }
  | { readonly translated: string };

export type RpmTags = Readonly<Record<number, RpmValue>>;

const INT16 = 3;
const INT32 = 4;
const STRING = 6;
const BYTES = 7;
const STRINGS = 8;
const TRANSLATED = 9;

const MAGIC = Buffer.from([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0]);
const ENTRY_BYTES = 16;

/**
 * Returns a header: an index of tags, and their values. Its first entry, the region, spans all
 * others, as the digests of a header require; the entry points to its copy at the end.
 */
export function rpmHeader(region: number, tags: RpmTags): Buffer {
  const entries = Object.entries(tags).map(([tag, value]) => ({ tag: Number(tag), value }));
  const store: Buffer[] = [];
  let length = 0;
  const put = (bytes: Buffer): void => {
    store.push(bytes);
    length += bytes.length;
  };
  const index = entries.map(({ tag, value }) => {
    const { type, count, data, alignment } = encodedValue(value);
    put(Buffer.alloc(-length & (alignment - 1)));
    const entry = words([tag, type, length, count]);
    put(data);
    return entry;
  });
  const at = length;
  put(words([region, BYTES, -(index.length + 1) * ENTRY_BYTES, ENTRY_BYTES]));
  const first = words([region, BYTES, at, ENTRY_BYTES]);
  return Buffer.concat([MAGIC, words([index.length + 1, length]), first, ...index, ...store]);
}

interface EncodedValue {
  readonly type: number;
  readonly count: number;
  readonly data: Buffer;
  readonly alignment: 1 | 2 | 4;
}

function encodedValue(value: RpmValue): EncodedValue {
  if ("int16" in value) {
    const data = Buffer.alloc(value.int16.length * 2);
    for (const [at, number] of value.int16.entries()) data.writeUInt16BE(number, at * 2);
    return { type: INT16, count: value.int16.length, data, alignment: 2 };
  }
  if ("int32" in value) {
    return { type: INT32, count: value.int32.length, data: words(value.int32), alignment: 4 };
  }
  if ("bytes" in value) {
    const data = Buffer.from(value.bytes);
    return { type: BYTES, count: data.length, data, alignment: 1 };
  }
  if ("texts" in value) {
    const data = Buffer.concat(value.texts.map(terminated));
    return { type: STRINGS, count: value.texts.length, data, alignment: 1 };
  }
  const [type, text] =
    "text" in value ? [STRING, value.text] : ([TRANSLATED, value.translated] as const);
  return { type, count: 1, data: terminated(text), alignment: 1 };
}

function terminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** Encodes 32-bit numbers, the negative ones in two's complement. */
function words(numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [at, number] of numbers.entries()) bytes.writeUInt32BE(number >>> 0, at * 4);
  return bytes;
}
