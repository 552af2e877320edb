/**
 * The state of a conversion of encoded messages to JSON, which its functions move forward.
 *
 *     wire   [ ... tag ][ value ][ tag ][ value ] ...     read by offset
 *     json   [ {"resourceSpans":[{"resource":{ ]          written up to jsonEnd
 *
 * JSON is written byte by byte. Strings, bigints and objects in between made garbage of twenty
 * times its size, and took seven times the processor time.
 */
export interface JsonWriter {
  wire: Uint8Array;
  json: Uint8Array<ArrayBuffer>;
  /** Views of both, to read and write several bytes at once, at any position. */
  wireWords: DataView;
  jsonWords: DataView;
  jsonEnd: number;
  /** Chunks that are complete, until they are taken. */
  chunks: Chunk[];
}

export type Chunk = Uint8Array<ArrayBuffer>;

/** The size of a chunk: its overhead is negligible, and it is made quickly. */
const CHUNK_BYTES = 64 * 1024;

/** Enough for one small span, of which many answers and every line of a tail consist. */
const FIRST_BYTES = 2 * 1024;

export function createJsonWriter(): JsonWriter {
  const json = new Uint8Array(FIRST_BYTES);
  const words = new DataView(json.buffer);
  return { wire: json, json, wireWords: words, jsonWords: words, jsonEnd: 0, chunks: [] };
}

/** Lets a writer read these bytes from now on. */
export function readFrom(writer: JsonWriter, wire: Uint8Array): void {
  if (writer.wire === wire) return;
  writer.wire = wire;
  writer.wireWords = new DataView(wire.buffer, wire.byteOffset, wire.byteLength);
}

/**
 * Makes room for so many bytes, far fewer than a chunk, which are then written at `jsonEnd`. A
 * chunk may end here, so no character is written in two pieces.
 */
export function reserve(writer: JsonWriter, lengthBytes: number): void {
  if (writer.jsonEnd + lengthBytes > writer.json.length) makeRoom(writer, lengthBytes);
}

function makeRoom(writer: JsonWriter, lengthBytes: number): void {
  const { json, jsonEnd } = writer;
  if (jsonEnd + lengthBytes > CHUNK_BYTES) endChunk(writer);
  else {
    writer.json = new Uint8Array(Math.min(CHUNK_BYTES, 2 * json.length + lengthBytes));
    writer.jsonWords = new DataView(writer.json.buffer);
    writer.json.set(json.subarray(0, jsonEnd));
  }
}

/** Ends a chunk, which is copied: so it has its exact size, and one buffer serves all chunks. */
function endChunk(writer: JsonWriter): void {
  if (writer.jsonEnd === 0) return;
  writer.chunks.push(writer.json.slice(0, writer.jsonEnd));
  writer.jsonEnd = 0;
}

/** Ends the last chunk, and takes all that are left. */
export function takeAll(writer: JsonWriter): Chunk[] {
  endChunk(writer);
  return takeChunks(writer);
}

export function takeChunks(writer: JsonWriter): Chunk[] {
  const { chunks } = writer;
  writer.chunks = [];
  return chunks;
}

export function addByte(writer: JsonWriter, byte: number): void {
  reserve(writer, 1);
  writer.json[writer.jsonEnd] = byte;
  writer.jsonEnd += 1;
}

/** Adds a short text of ASCII characters. */
export function addText(writer: JsonWriter, text: string): void {
  reserve(writer, text.length);
  const { json, jsonEnd } = writer;
  for (let index = 0; index < text.length; index += 1) {
    json[jsonEnd + index] = text.charCodeAt(index);
  }
  writer.jsonEnd += text.length;
}

/** Adds JSON of a few bytes, for which a call to copy them would take longer. */
export function addShortJson(writer: JsonWriter, bytes: Uint8Array): void {
  reserve(writer, bytes.length);
  const { json, jsonEnd } = writer;
  for (let index = 0; index < bytes.length; index += 1) json[jsonEnd + index] = bytes[index]!;
  writer.jsonEnd += bytes.length;
}

/** The most bytes that are copied at once, so that chunks have about the same size. */
const PIECE_BYTES = 4 * 1024;

/** Adds JSON of any length that has been written before. */
export function addJson(writer: JsonWriter, bytes: Uint8Array): void {
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    const piece = bytes.subarray(from, from + PIECE_BYTES);
    reserve(writer, piece.length);
    writer.json.set(piece, writer.jsonEnd);
    writer.jsonEnd += piece.length;
  }
}
