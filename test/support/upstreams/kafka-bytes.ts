/** Reads the fields of Kafka's protocol, in the form of its older versions. */
export class KafkaReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  skip(lengthBytes: number): number {
    this.at += lengthBytes;
    return this.at - lengthBytes;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.skip(4));
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.skip(8));
  }

  string(): string | undefined {
    const length = this.int16();
    return length < 0 ? undefined : this.slice(length).toString();
  }

  bytes(): Buffer {
    return this.slice(this.int32());
  }

  array<Item>(read: () => Item): Item[] {
    return Array.from({ length: this.int32() }, read);
  }

  /** Reads a number of the messages: in groups of seven bits, signs alternating. */
  varint(): number {
    let [value, scale, byte] = [0, 1, 0];
    do {
      byte = this.buffer.readUInt8(this.skip(1));
      value += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  varBytes(): Buffer | undefined {
    const length = this.varint();
    return length < 0 ? undefined : this.slice(length);
  }

  rest(): Buffer {
    return this.slice(this.buffer.length - this.at);
  }

  private slice(lengthBytes: number): Buffer {
    const from = this.skip(lengthBytes);
    return this.buffer.subarray(from, this.at);
  }
}

/**
 * Cuts a stream into requests. Large ones arrive in many pieces, which are joined once. Of each
 * request, at most the first `headBytes` are kept, so that discarding costs little.
 */
export class KafkaFrames {
  // Fixed at construction.
  private readonly take: (request: KafkaReader) => void;
  private readonly headBytes: number;

  // Moved by `add`: the kept start of the stream after the last request, and its whole length.
  private pieces: Buffer[] = [];
  private keptBytes = 0;
  private lengthBytes = 0;

  // Moved by `add`: the length that the stream has once the next request is complete.
  private neededBytes = 4;

  constructor(take: (request: KafkaReader) => void, headBytes = Number.POSITIVE_INFINITY) {
    this.take = take;
    this.headBytes = headBytes;
  }

  add(piece: Buffer): void {
    const isEnd = this.lengthBytes + piece.length >= this.neededBytes;
    if (isEnd && this.keptBytes < this.lengthBytes) this.takeHead(piece);
    else if (isEnd) this.takeAll(Buffer.concat([...this.pieces, piece]));
    else this.keep(piece);
  }

  private keep(piece: Buffer): void {
    this.lengthBytes += piece.length;
    if (this.keptBytes >= this.headBytes) return;
    this.pieces.push(piece);
    this.keptBytes += piece.length;
  }

  /** Takes a request of which the middle was dropped, and continues after its last byte. */
  private takeHead(piece: Buffer): void {
    this.take(new KafkaReader(Buffer.concat(this.pieces).subarray(4)));
    this.takeAll(piece.subarray(this.neededBytes - this.lengthBytes));
  }

  private takeAll(bytes: Buffer): void {
    const rest = takeFrames(bytes, this.take);
    this.pieces = [rest];
    [this.keptBytes, this.lengthBytes] = [rest.length, rest.length];
    this.neededBytes = rest.length < 4 ? 4 : 4 + rest.readInt32BE();
  }
}

/** Takes all complete requests, and returns the bytes after them. */
function takeFrames(bytes: Buffer, take: (request: KafkaReader) => void): Buffer {
  let from = 0;
  while (bytes.length - from >= 4) {
    const end = from + 4 + bytes.readInt32BE(from);
    if (end > bytes.length) break;
    take(new KafkaReader(bytes.subarray(from + 4, end)));
    from = end;
  }
  return bytes.subarray(from);
}

/** Writes the fields of Kafka's protocol, in the form of its older versions. */
export class KafkaWriter {
  private readonly pieces: Buffer[] = [];

  int8(value: number): this {
    return this.add(1, (piece) => piece.writeInt8(value));
  }

  int16(value: number): this {
    return this.add(2, (piece) => piece.writeInt16BE(value));
  }

  int32(value: number): this {
    return this.add(4, (piece) => piece.writeInt32BE(value));
  }

  int64(value: bigint): this {
    return this.add(8, (piece) => piece.writeBigInt64BE(value));
  }

  string(text: string | null): this {
    if (text === null) return this.int16(-1);
    const bytes = Buffer.from(text);
    this.int16(bytes.length).pieces.push(bytes);
    return this;
  }

  bytes(bytes: Buffer): this {
    this.int32(bytes.length).pieces.push(bytes);
    return this;
  }

  array<Item>(items: readonly Item[], write: (item: Item) => void): this {
    this.int32(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** Returns all fields after their length. */
  framed(): Buffer {
    const fields = Buffer.concat(this.pieces);
    return Buffer.concat([new KafkaWriter().int32(fields.length).pieces[0]!, fields]);
  }

  private add(lengthBytes: number, write: (piece: Buffer) => void): this {
    const piece = Buffer.alloc(lengthBytes);
    write(piece);
    this.pieces.push(piece);
    return this;
  }
}
