import { pipeline, type Transform } from 'node:stream';
import type { Bytes } from '../streams.js';

export interface Compressed {
  kind: 'compressed';
  decompress: () => Decompressor;
  /** Prepares what is given to it. */
  prepare?: (bytes: Bytes) => Bytes;
}

/** A stream of node:zlib; `bytesWritten` is what it has made use of. */
export type Decompressor = Transform & { bytesWritten: number };

/** What `bytes` expand to; `onExpanded` is told of each piece and may end it all by throwing. */
export async function* decompressed(
  bytes: Bytes,
  { decompress, prepare = (as) => as }: Compressed,
  onExpanded: (length: number) => void,
): Bytes {
  const expanded = decompress();
  let read = 0;
  async function* counted(): Bytes {
    for await (const piece of prepare(bytes)) {
      read += piece.length;
      yield piece;
    }
  }
  // A fault of either end reaches the loop below, which is the one to throw it.
  pipeline(counted(), expanded, () => undefined);
  for await (const piece of expanded as AsyncIterable<Buffer>) {
    onExpanded(piece.length);
    yield piece;
  }
  // Node says nothing of what stands behind a compressed content and is none.
  if (expanded.bytesWritten < read) throw new Error('something else follows');
}
