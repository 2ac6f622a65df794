const END = Buffer.from('504b0506', 'hex');
const END_BYTES = 22;
const LOCATOR = 0x07064b50;
const LOCATOR_BYTES = 20;
const END_64 = 0x06064b50;
const END_64_BYTES = 56;
const DIRECTORY_ENTRY = 0x02014b50;
const MOST_COMMENT = 0xffff;

/** So many bytes at the end of a content tell whether it ends with a zip archive. */
export const ZIP_TAIL = MOST_COMMENT + END_BYTES + LOCATOR_BYTES + END_64_BYTES;

/** Where a zip archive stands in a content. */
export interface ZipSpan {
  /** What the archive counts its offsets from; below 0 where bytes before what is at hand count, too. */
  base: number;
  end: number;
}

/**
 * The zip archive that `bytes` end with, whatever stands before it; undefined for none. `start` is where `bytes` begin in the
 * content, and `read` gives four bytes of it, or none where they are not at hand.
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

/** Where the directory is in `bytes`, which may be before them, and where the archive says that it is. */
function spanAt(bytes: Buffer, at: number): { directory: number; offset: number } | undefined {
  const locator = at - LOCATOR_BYTES;
  const large = locator - END_64_BYTES;
  if (large >= 0 && bytes.readUInt32LE(locator) === LOCATOR && bytes.readUInt32LE(large) === END_64) {
    const [size, offset] = [bytes.readBigUInt64LE(large + 40), bytes.readBigUInt64LE(large + 48)].map(Number);
    return { directory: large - (size ?? 0), offset: offset ?? 0 };
  }
  return { directory: at - bytes.readUInt32LE(at + 12), offset: bytes.readUInt32LE(at + 16) };
}
