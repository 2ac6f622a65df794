import { type Bytes, readFrom } from '../streams.js';

/** Magic number of frames without content; its last hexadecimal digit can be any. */
const SKIPPABLE = 0x184d2a50;
/** Bytes of the header's fields, by two bits of the frame's descriptor. */
const DICTIONARY_BYTES = [0, 1, 2, 4];
const SIZE_BYTES = [0, 2, 4, 8];
/** Type of a block that consists of one repeated byte. */
const REPEATED = 1;

/**
 * Cuts zstd data into pieces that end where a frame ends (RFC 8878, section 3.1), because Node's decompressor drops the rest
 * of a piece after a frame. Throws if the last frame is truncated, which Node's decompressor does not report either.
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

/** Bytes of a frame's header after its descriptor. */
function bytesOfHeader(flags: number): number {
  const isSingleSegment = (flags & 0x20) !== 0;
  const size = SIZE_BYTES[flags >> 6] ?? 0;
  const window = isSingleSegment ? 0 : 1;
  return window + (DICTIONARY_BYTES[flags & 3] ?? 0) + (isSingleSegment && size === 0 ? 1 : size);
}
