import { pipeline, Readable } from 'node:stream';
import { type Compressed, HEAD } from './formats.js';

export type Bytes = AsyncIterable<Uint8Array>;

/** The first `HEAD` bytes, or all where there are fewer, and then everything. */
export async function peek(bytes: Bytes): Promise<{ head: Buffer; all: Bytes }> {
  const rest = bytes[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let head = Buffer.alloc(0);
  let ended = false;
  while (!ended && head.length < HEAD) {
    const { done, value } = await rest.next();
    if (done === true) ended = true;
    else head = Buffer.concat([head, value]);
  }
  async function* all(): Bytes {
    try {
      yield head;
      while (!ended) {
        const { done, value } = await rest.next();
        if (done === true) ended = true;
        else yield value;
      }
    } finally {
      if (!ended) await rest.return?.();
    }
  }
  return { head: head.subarray(0, HEAD), all: all() };
}

/** What `bytes` expand to; `onExpanded` is told of each piece and may end it all by throwing. */
export async function* decompressed(
  bytes: Bytes,
  { decompress }: Compressed,
  onExpanded: (length: number) => void,
): Bytes {
  const expanded = decompress();
  // A fault of either end reaches the loop below, which is the one to throw it.
  pipeline(Readable.from(bytes), expanded, () => undefined);
  for await (const piece of expanded as AsyncIterable<Buffer>) {
    onExpanded(piece.length);
    yield piece;
  }
}

/** Everything in one piece. Throws where that is more than `limit` bytes. */
export async function collect(bytes: Bytes, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > limit) throw new Error(`a zip archive in another archive may have ${String(limit)} bytes at most`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}
