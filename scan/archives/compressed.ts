import { pipeline, type Transform } from 'node:stream';
import type { Bytes } from '../streams.js';

/** A compression format that can be read. */
export interface Compressed {
  kind: 'compressed';
  decompress: () => Decompressor;
  /** Prepares the compressed bytes for `decompress`. */
  prepare?: (bytes: Bytes) => Bytes;
}

/** A stream of `node:zlib`. `bytesWritten` counts the input bytes that it has used. */
export type Decompressor = Transform & { bytesWritten: number };

/** Decompresses `bytes`. `onExpanded` gets the length of each piece, and can throw to stop. */
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
  // The loop below throws an error of either stream.
  pipeline(counted(), expanded, () => undefined);
  for await (const piece of expanded as AsyncIterable<Buffer>) {
    onExpanded(piece.length);
    yield piece;
  }
  // Node ignores data after the end of the compressed data.
  if (expanded.bytesWritten < read) throw new Error('other data follow the compressed data');
}
