const NEWLINE = 0x0a;

/** A position in a content, which counts lines and columns. */
export interface Position {
  /** Bytes before the position. */
  readonly offset: number;
  /** Moves the position over the next bytes of the content. */
  advance(bytes: Buffer): void;
  /** Line and column of the position, both from 1. Columns are UTF-16 code units, as editors count them. */
  at(width: 1 | 2): { line: number; column: number };
}

/** Creates a position at the beginning of a content. */
export function startPosition(): Position {
  let offset = 0;
  let line = 1;
  let lineStart = 0;
  /** Bytes of the current line so far minus its UTF-16 code units. */
  let surplus = 0;

  return {
    get offset() {
      return offset;
    },

    advance(bytes) {
      let rest = 0;
      if (offset === 0) {
        rest = lengthOfMark(bytes);
        lineStart = rest;
      }
      for (let at = bytes.indexOf(NEWLINE, rest); at >= 0; at = bytes.indexOf(NEWLINE, rest)) {
        line++;
        rest = at + 1;
        lineStart = offset + rest;
        surplus = 0;
      }
      for (; rest < bytes.length; rest++) {
        const byte = bytes[rest] as number;
        // UTF-8: continuation bytes add no code unit, and a character of four bytes is two code units.
        if ((byte & 0xc0) === 0x80) surplus++;
        else if (byte >= 0xf0) surplus--;
      }
      offset += bytes.length;
    },

    at(width) {
      const bytes = offset - lineStart;
      return { line, column: 1 + (width === 2 ? Math.floor(bytes / 2) : bytes - surplus) };
    },
  };
}

/** Bytes of the byte order mark, which editors do not count as a character. */
function lengthOfMark(bytes: Buffer): number {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 3;
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) return 2;
  return 0;
}
