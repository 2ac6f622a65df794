import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { decompressed } from './archives/compressed.js';
import { tarMembers } from './archives/tar.js';
import { type ZipMember, zipMembers } from './archives/zip.js';
import { ExpandsTooFar, messageOf } from './errors.js';
import { CHUNK, type Finder, type LocatedToken } from './finder.js';
import { type Archive, formatOf, HEAD } from './formats.js';
import type { Position } from './position.js';
import { type Bytes, collect, peek } from './streams.js';

/** Archives in archives, and each layer of compression, that are opened at most. */
const MAX_NESTING = 8;

/** Bytes of a zip archive inside another archive or in git, which must be in memory since its index is at its end. */
export const MAX_BYTES_IN_MEMORY = 256 * 1024 * 1024;

/** Which content a token is in. */
export interface Origin {
  file: string;
  /** Where it is in archives: the names inside, outermost first. */
  members: readonly string[];
  /** Whether what is searched is not the file itself, but what it expands to. */
  expanded: boolean;
}

export interface Contents {
  /** Searches a file. What is no archive is done on return. Throws where it cannot be opened or read. */
  searchFile(path: Buffer, file: string): Promise<void> | undefined;
  /** Searches what can be read only once. */
  searchStream(bytes: Bytes, file: string): Promise<void>;
  /** Searches an archive that is in memory. */
  searchBuffer(bytes: Buffer, file: string): Promise<void>;
  /**
   * Begins a content that is fed next, or gives false for an archive, by its first `HEAD` bytes, which is searched with
   * `searchBuffer` instead; where that cannot be, `canOpen` is false.
   */
  begin(head: Buffer, file: string, canOpen: boolean): boolean;
  feed(bytes: Uint8Array): void;
}

export interface ContentsOptions {
  finder: Finder;
  /** How far one file may expand, all that is inside it taken together. */
  maxExpandedBytes: number;
  onToken: (token: LocatedToken, origin: Origin) => void;
  onWarning: (origin: Pick<Origin, 'file' | 'members'>, message: string) => void;
  /** Bytes that were read of what was named, before any expansion. */
  onRead: (length: number) => void;
}

/** Reads contents of any kind, opens archives and hands what is inside to the finder. */
export function createContents({ finder, maxExpandedBytes, onToken, onWarning, onRead }: ContentsOptions): Contents {
  /** What is still to be opened of one file. */
  let expandableBytes = 0;
  const onExpanded = (length: number) => {
    expandableBytes -= length;
    if (expandableBytes < 0) {
      throw new ExpandsTooFar(`it expands to more than ${String(maxExpandedBytes)} bytes (--max-expanded)`);
    }
  };

  function start(origin: Origin, reread?: (position: Position, until: number) => void): void {
    finder.begin((token) => {
      onToken(token, origin);
    }, reread);
  }

  /** Undefined for what is to be searched as it is. */
  function archiveIn(head: Buffer, origin: Origin, depth = 0, name = nameOf(origin)): Archive | undefined {
    const format = formatOf(head, name);
    if (format === undefined) return undefined;
    if (format.kind === 'unreadable') onWarning(origin, `${format.name} is not read`);
    else if (depth < MAX_NESTING) return format;
    else onWarning(origin, `nested more than ${String(MAX_NESTING)} deep, and not opened`);
    return undefined;
  }

  function searchFile(path: Buffer, file: string): Promise<void> | undefined {
    const origin = { file, members: [], expanded: false };
    const fd = openSync(path, 'r');
    try {
      const length = readSync(fd, finder.space);
      const archive = archiveIn(finder.space.subarray(0, Math.min(length, HEAD)), origin);
      if (archive === undefined) {
        searchOpen(fd, length, origin);
        return undefined;
      }
      if (archive.kind === 'zip') onRead(fstatSync(fd).size);
      return openArchive(archive, origin, archive.kind === 'zip' ? { path } : metered(read(path)), () => {
        searchPlainFile(path, origin);
      });
    } finally {
      closeSync(fd);
    }
  }

  function searchPlainFile(path: Buffer, origin: Origin): void {
    const fd = openSync(path, 'r');
    try {
      searchOpen(fd, readSync(fd, finder.space), origin);
    } finally {
      closeSync(fd);
    }
  }

  /** Searches what is open at `fd`; the first `length` bytes are in the finder's space. */
  function searchOpen(fd: number, length: number, origin: Origin): void {
    start(origin, (position, until) => {
      const piece = Buffer.allocUnsafe(CHUNK);
      for (let rest = until; rest > 0; ) {
        const read = readSync(fd, piece, 0, Math.min(rest, CHUNK), position.offset);
        if (read === 0) return;
        position.advance(piece.subarray(0, read));
        rest -= read;
      }
    });
    for (let read = length; read > 0; read = readSync(fd, finder.space)) {
      finder.advance(read);
      onRead(read);
    }
  }

  /** Opens a whole file that is an archive; whatever is wrong with it is a warning. */
  async function openArchive(
    archive: Archive,
    origin: Origin,
    source: Bytes | Buffer | { path: Buffer },
    searchPlain?: () => void,
  ): Promise<void> {
    expandableBytes = maxExpandedBytes;
    try {
      await expand(archive, origin, source, 0);
    } catch (error) {
      onWarning(origin, `not read to its end: ${messageOf(error)}`);
      // What is broken may hold tokens in clear; what is merely too large has been opened.
      if (!(error instanceof ExpandsTooFar)) searchPlain?.();
    }
  }

  async function expand(
    archive: Archive,
    origin: Origin,
    source: Bytes | Buffer | { path: Buffer },
    depth: number,
  ): Promise<void> {
    if (archive.kind === 'zip') {
      const zip = Buffer.isBuffer(source) || 'path' in source ? source : await collect(source, MAX_BYTES_IN_MEMORY);
      await searchMembers(zipMembers(zip, onExpanded), origin, depth);
    } else if (archive.kind === 'tar') {
      await searchMembers(tarMembers(source as Bytes), origin, depth);
    } else {
      const bytes = decompressed(source as Bytes, archive, onExpanded);
      await searchContent(bytes, { ...origin, expanded: true }, depth + 1, nameOf(origin).replace(/\.br$/, ''));
    }
  }

  async function searchMembers(members: AsyncIterable<ZipMember>, outer: Origin, depth: number): Promise<void> {
    for await (const member of members) {
      const origin = { ...outer, members: [...outer.members, member.name], expanded: true };
      if ('unreadable' in member) {
        onWarning(origin, member.unreadable);
        continue;
      }
      try {
        await searchContent(member.bytes, origin, depth + 1);
      } catch (error) {
        if (error instanceof ExpandsTooFar) throw error;
        onWarning(origin, `not read to its end: ${messageOf(error)}`);
      }
    }
  }

  async function searchContent(bytes: Bytes, origin: Origin, depth: number, name = nameOf(origin)): Promise<void> {
    const { head, all } = await peek(bytes, HEAD);
    const archive = archiveIn(head, origin, depth, name);
    if (archive !== undefined) {
      await expand(archive, origin, all, depth);
    } else {
      start(origin);
      for await (const piece of all) finder.feed(piece);
    }
  }

  async function* metered(bytes: Bytes): Bytes {
    for await (const piece of bytes) {
      onRead(piece.length);
      yield piece;
    }
  }

  return {
    searchFile,

    async searchStream(bytes, file) {
      expandableBytes = maxExpandedBytes;
      const origin = { file, members: [], expanded: false };
      try {
        await searchContent(metered(bytes), origin, 0);
      } catch (error) {
        onWarning(origin, `not read to its end: ${messageOf(error)}`);
      }
    },

    async searchBuffer(bytes, file) {
      const origin = { file, members: [], expanded: false };
      const archive = archiveIn(bytes.subarray(0, HEAD), origin);
      if (archive === undefined) return;
      await openArchive(archive, origin, archive.kind === 'zip' ? bytes : once(bytes), () => {
        start(origin);
        finder.feed(bytes);
      });
    },

    begin(head, file, canOpen) {
      const origin = { file, members: [], expanded: false };
      const archive = archiveIn(head, origin);
      if (archive !== undefined && canOpen) return false;
      if (archive !== undefined) onWarning(origin, 'an archive this large is not opened in the history');
      start(origin);
      return true;
    },

    feed: finder.feed,
  };
}

/** The innermost name, which may tell the format. */
function nameOf({ file, members }: Origin): string {
  return members.at(-1) ?? file;
}

function read(path: Buffer): Bytes {
  return createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
}

async function* once(bytes: Buffer): Bytes {
  yield await Promise.resolve(bytes);
}
