import { type Match, REACH, search } from './pattern.js';
import { type Position, startPosition } from './position.js';

/** Bytes searched at a time; small enough for the processor's cache. */
export const CHUNK = 256 * 1024;

/** A token and its position in its content. */
export interface LocatedToken extends Pick<Match, 'plaintext' | 'brand' | 'kind'> {
  /** Bytes before the token. */
  offset: number;
  line: number;
  column: number;
}

/** Searches contents one after another. Each content is passed piece by piece. */
export interface Finder {
  /** Buffer to read the next piece into, before `advance`. */
  readonly space: Buffer;
  /** Bytes searched so far, of all contents. */
  readonly searched: number;
  /**
   * Begins another content. With `reread`, lines are counted only if there is a token: `reread` must then pass the first
   * `until` bytes of the content to `position`. Without it, for content that cannot be read twice, all lines are counted.
   */
  begin(onToken: (token: LocatedToken) => void, reread?: (position: Position, until: number) => void): void;
  /** Searches the first `length` bytes of `space`. */
  advance(length: number): void;
  /** Searches `bytes` that were read elsewhere. */
  feed(bytes: Uint8Array): void;
}

/** Creates a finder of tokens of `brands`, or of any brand. */
export function createFinder(brands?: ReadonlySet<string>): Finder {
  // The end of the last piece stays before `space`, so that a token across two pieces is found.
  const window = Buffer.alloc(REACH + CHUNK);
  const space = window.subarray(REACH);
  let searched = 0;
  let report: (token: LocatedToken) => void;
  let reread: ((position: Position, until: number) => void) | undefined;
  let position: Position | undefined;
  /** Bytes of the content before `space`, and how many of them are still in the window. */
  let passed: number;
  let kept: number;

  function begin(...[onToken, onReread]: Parameters<Finder['begin']>): void {
    report = onToken;
    reread = onReread;
    position = onReread === undefined ? startPosition() : undefined;
    passed = 0;
    kept = 0;
    window.fill(0, 0, REACH);
  }

  function advance(length: number): void {
    const end = REACH + length;
    const indexOf = (offset: number) => REACH + offset - passed;
    search(window.subarray(0, end), REACH, ({ plaintext, brand, kind, start, width }) => {
      if (brands !== undefined && !brands.has(brand)) return;
      const offset = passed + start - REACH;
      const here = (position ??= positionAt(passed - kept));
      here.advance(window.subarray(indexOf(here.offset), start));
      report({ plaintext, brand, kind, offset, ...here.at(width) });
    });
    searched += length;
    // A later token may begin in the bytes that are kept, so lines are counted up to those only.
    const keep = Math.min(REACH, kept + length);
    if (position !== undefined && passed + length - keep > position.offset) {
      position.advance(window.subarray(indexOf(position.offset), end - keep));
    }
    window.copyWithin(REACH - keep, end - keep, end);
    passed += length;
    kept = keep;
  }

  function positionAt(until: number): Position {
    const start = startPosition();
    if (until > 0) reread?.(start, until);
    return start;
  }

  return {
    space,
    get searched() {
      return searched;
    },
    begin,
    advance,
    feed(bytes) {
      for (let at = 0; at < bytes.length; at += CHUNK) {
        const piece = bytes.subarray(at, at + CHUNK);
        space.set(piece);
        advance(piece.length);
      }
    },
  };
}
