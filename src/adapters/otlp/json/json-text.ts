/** Large enough that a chunk's overhead vanishes, small enough that it is made in a moment. */
const CHUNK_LENGTH = 64 * 1024;

/** Collects pieces of text into chunks of UTF-8. No piece ends within a character. */
export class JsonText {
  private text = "";
  private chunks: Uint8Array<ArrayBuffer>[] = [];
  private readonly encoder = new TextEncoder();

  add(piece: string): void {
    this.text += piece;
    if (this.text.length >= CHUNK_LENGTH) this.endChunk();
  }

  endChunk(): void {
    if (this.text === "") return;
    this.chunks.push(this.encoder.encode(this.text));
    this.text = "";
  }

  get hasChunks(): boolean {
    return this.chunks.length > 0;
  }

  takeChunks(): Uint8Array<ArrayBuffer>[] {
    const { chunks } = this;
    this.chunks = [];
    return chunks;
  }
}
