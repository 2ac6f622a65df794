const END = Buffer.from('504b0506', 'hex');
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END_64 = 0x06064b50;
const END_64_BYTES = 56;
const DIRECTORY_ENTRY = 0x02014b50;
const MOST_COMMENT = 0xffff;

/** Bytes at the end of a content that are enough to find a zip archive there. */
export const ZIP_TAIL = MOST_COMMENT + END_BYTES + LOCATOR_BYTES + END_64_BYTES;

/** Position of a zip archive in a content, in bytes. */
export interface ZipSpan {
  /** Position that the archive's offsets count from; negative if that is before the bytes at hand. */
  base: number;
  /** Position after the archive's last byte. */
  end: number;
}

/**
 * Finds the zip archive at the end of `bytes`, with any content before it; undefined if there is none. `start` is the
 * position of `bytes` in the content. `read` returns four bytes of the content, or undefined if they are not at hand.
 */
export function findZip(bytes: Buffer, start: number, read: (at: number) => Buffer | undefined): ZipSpan | undefined {
  for (let at = bytes.lastIndexOf(END); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(END, at - 1)) {
    const span = at + END_BYTES <= bytes.length ? spanAt(bytes, at) : undefined;
    if (span === undefined) continue;
    const signature = read(start + span.directory);
    if (signature?.length !== 4 || signature.readUInt32LE() !== DIRECTORY_ENTRY) continue;
    return { base: start + span.directory - span.offset, end: start + at + END_BYTES + bytes.readUInt16LE(at + 20) };
  }
  return undefined;
}

/** Position of the archive's directory in `bytes` (negative if before them), and the offset that the archive states. */
function spanAt(bytes: Buffer, at: number): { directory: number; offset: number } | undefined {
  const locator = at - LOCATOR_BYTES;
  const large = locator - END_64_BYTES;
  if (large >= 0 && bytes.readUInt32LE(locator) === LOCATOR && bytes.readUInt32LE(large) === END_64) {
    const [size, offset] = [bytes.readBigUInt64LE(large + 40), bytes.readBigUInt64LE(large + 48)].map(Number);
    return { directory: large - (size ?? 0), offset: offset ?? 0 };
  }
  return { directory: at - bytes.readUInt32LE(at + 12), offset: bytes.readUInt32LE(at + 16) };
}
