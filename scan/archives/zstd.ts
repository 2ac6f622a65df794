import { type Bytes, readFrom } from '../streams.js';

/** Frames that hold no content begin with this; its last digit may be any. */
const SKIPPABLE = 0x184d2a50;
/** Bytes of the fields that two bits of the descriptor tell of. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
/** The type of a block that is one byte, repeated. */
const REPEATED = 1;

/**
 * The same bytes, in pieces that end where a frame of zstd does (RFC 8878, 3.1), since Node's decompressor drops what follows a
 * frame in the same piece. Throws where the last frame is cut off, which that does not notice either.
 */
export async function* zstdFrames(bytes: Bytes): Bytes {
  const input = readFrom(bytes);
  while ((await input.peek(1)).length > 0) {
    const magic = await input.take(4);
    yield magic;
    if ((magic.readUInt32LE() & ~0xf) === SKIPPABLE) {
      const size = await input.take(4);
      yield size;
      yield* input.pieces(size.readUInt32LE());
      continue;
    }
    const descriptor = await input.take(1);
    yield descriptor;
    const flags = descriptor.readUInt8();
    yield await input.take(bytesOfHeader(flags));
    for (let isLast = false; !isLast; ) {
      const block = await input.take(3);
      yield block;
      const fields = block.readUIntLE(0, 3);
      isLast = (fields & 1) === 1;
      yield* input.pieces(((fields >> 1) & 3) === REPEATED ? 1 : fields >> 3);
    }
    if ((flags & 4) !== 0) yield await input.take(4);
  }
}

/** How long the rest of a frame's header is. */
function bytesOfHeader(flags: number): number {
  const isSingleSegment = (flags & 0x20) !== 0;
  const size = SIZE_BYTES[flags >> 6] ?? 0;
  const window = isSingleSegment ? 0 : 1;
  return window + (DICTIONARY_BYTES[flags & 3] ?? 0) + (isSingleSegment && size === 0 ? 1 : size);
}
