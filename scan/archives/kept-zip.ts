import { findZip, ZIP_TAIL, type ZipSpan } from './zip-end.js';

const MEMBER = Buffer.from('504b0304', 'hex');

const DIRECTORY = Buffer.from('504b0102', 'hex');
const NOTHING = Buffer.alloc(0);

export interface KeptZip {
  /** The content from its first zip member on, which `span` refers to; undefined if it has more than `limit` bytes. */
  bytes: Buffer | undefined;
  span: ZipSpan;
}

/**
 * Keeps the part of a content that may be a zip archive at its end, up to `limit` bytes. Use this for a content that can be
 * read only once.
 */
export function createZipKeeper(limit: number) {
  let pieces: Uint8Array[] = [];
  let length = 0;
  let isKeeping = false;
  let isTooLarge = false;
  let before: Buffer = NOTHING;

  return {
    begin(): void {
      pieces = [];
      length = 0;
      isKeeping = false;
      isTooLarge = false;
      before = NOTHING;
    },

    see(piece: Uint8Array): void {
      const bytes = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      if (!isKeeping) {
        // The signature may begin in the previous piece.
        const across = Buffer.concat([before, bytes.subarray(0, MEMBER.length - 1)]);
        const [source, at] = across.includes(MEMBER)
          ? [before, across.indexOf(MEMBER)]
          : [bytes, bytes.indexOf(MEMBER)];
        isKeeping = at >= 0;
        if (!isKeeping) before = Buffer.concat([before, bytes.subarray(1 - MEMBER.length)]).subarray(1 - MEMBER.length);
        else pieces = source === before ? [before.subarray(at), bytes] : [bytes.subarray(at)];
        length = pieces.reduce((sum, each) => sum + each.length, 0);
        return;
      }
      pieces.push(bytes);
      length += piece.length;
      if (length > limit) isTooLarge = true;
      while (isTooLarge && length - (pieces[0]?.length ?? 0) > ZIP_TAIL) length -= pieces.shift()?.length ?? 0;
    },

    /** Returns the zip archive at the end of the content, if there is one. */
    end(): KeptZip | undefined {
      if (!isKeeping) return undefined;
      const bytes = Buffer.concat(pieces);
      pieces = [];
      const tail = bytes.subarray(-ZIP_TAIL);
      const span = findZip(tail, bytes.length - tail.length, (at) => {
        // Bytes that were dropped cannot be checked and count as a directory.
        if (at < 0) return isTooLarge ? DIRECTORY : undefined;
        return bytes.subarray(at, at + 4);
      });
      return span && { bytes: isTooLarge ? undefined : bytes, span };
    },
  };
}
