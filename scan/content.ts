import { closeSync, createReadStream, fstatSync, openSync, readSync } from 'node:fs';
import { decompressed } from './archives/compressed.js';
import { createZipKeeper } from './archives/kept-zip.js';
import { tarMembers } from './archives/tar.js';
import { type ZipMember, type ZipSource, zipMembers } from './archives/zip.js';
import { findZip, ZIP_TAIL } from './archives/zip-end.js';
import { ExpandsTooFar, messageOf } from './errors.js';
import { CHUNK, type Finder, type LocatedToken } from './finder.js';
import { type Archive, formatOf, HEAD } from './formats.js';
import type { Position } from './position.js';
import { type Bytes, collect, peek } from './streams.js';

/** Most levels of archives and compression inside each other that are opened. */
const MAX_NESTING = 8;

/** Most bytes of a zip archive inside another archive or in git. It is read into memory, because its index is at its end. */
export const MAX_BYTES_IN_MEMORY = 256 * 1024 * 1024;

/** Path of a loose git object, which is compressed with zlib. */
const LOOSE_OBJECT = /^(.*[/\\\0]objects)[/\\][0-9a-f]{2}[/\\][0-9a-f]{38}(?:[0-9a-f]{24})?$/s;
const ZLIB = 0x78;

/** The content that a token was found in. */
export interface Origin {
  file: string;
  /** Names inside archives, outermost first; empty for the file itself. */
  members: readonly string[];
  /** Whether the content was expanded from the file, by decompression or from an archive. */
  expanded: boolean;
}

export interface Contents {
  /** Searches a file: at once, or with a promise if it has an archive. Throws if it cannot be opened or read. */
  searchFile(path: Buffer, file: string): Promise<void> | undefined;
  /** Searches a stream, which can be read only once. */
  searchStream(bytes: Bytes, file: string): Promise<void>;
  /** Searches an archive that is in memory. */
  searchBuffer(bytes: Buffer, file: string): Promise<void>;
  /**
   * Begins a content whose bytes follow with `feed`. Returns false if its first `HEAD` bytes are those of an archive: pass
   * it to `searchBuffer` instead. With `canOpen` false, an archive is searched as it is, with a warning.
   */
  begin(head: Buffer, file: string, canOpen: boolean): boolean;
  feed(bytes: Uint8Array): void;
  /** Ends the content that was begun, and opens the zip archive at its end, if there is one. */
  end(): Promise<void> | undefined;
}

export interface ContentsOptions {
  finder: Finder;
  /** Most bytes that one file may expand to, including all archives in it. */
  maxExpandedBytes: number;
  onToken: (token: LocatedToken, origin: Origin) => void;
  /** Gets a warning. `isLeftOut` means that the scan is not complete. */
  onWarning: (origin: Pick<Origin, 'file' | 'members'>, message: string, isLeftOut?: boolean) => void;
  /** Gets the number of bytes read from disk or standard input, before any expansion. */
  onRead: (length: number) => void;
}

/** Creates the reader of contents, which opens archives and passes all content to the finder. */
export function createContents({ finder, maxExpandedBytes, onToken, onWarning, onRead }: ContentsOptions): Contents {
  const tail = Buffer.allocUnsafe(ZIP_TAIL);
  const told = new Set<string>();
  const keeper = createZipKeeper(MAX_BYTES_IN_MEMORY);
  let begun: Origin | undefined;
  /** Bytes that the current file may still expand to. */
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

  /** Detects an archive; undefined for content that is searched as it is. Warns of formats that cannot be read. */
  function archiveIn(head: Buffer, origin: Origin, depth = 0, name = nameOf(origin)): Archive | undefined {
    const format = formatOf(head, name);
    if (format === undefined) {
      tellLooseObject(head, origin);
      return undefined;
    }
    if (format.kind === 'unreadable') onWarning(origin, `${format.name} is not read`, format.isLeftOut === true);
    else if (depth < MAX_NESTING) return format;
    else onWarning(origin, `nested more than ${String(MAX_NESTING)} deep, and not opened`);
    return undefined;
  }

  /** Warns of loose git objects in an archive or in a folder that is not recognised as a repository, once per folder. */
  function tellLooseObject(head: Buffer, { file, members }: Origin): void {
    const [, folder] = head[0] === ZLIB ? (LOOSE_OBJECT.exec([file, ...members].join('\0')) ?? []) : [];
    if (folder === undefined || told.has(folder)) return;
    told.add(folder);
    const [inFile = '', ...inMembers] = folder.split('\0');
    onWarning(
      { file: inFile, members: inMembers },
      'git objects are not read here: unpack the repository and scan that',
      true,
    );
  }

  function searchFile(path: Buffer, file: string): Promise<void> | undefined {
    const origin = { file, members: [], expanded: false };
    const fd = openSync(path, 'r');
    try {
      const length = readSync(fd, finder.space);
      const archive = archiveIn(finder.space.subarray(0, Math.min(length, HEAD)), origin);
      if (archive === undefined) {
        const zip = zipAtEnd(fd, searchOpen(fd, length, origin), origin);
        return zip && openArchive({ kind: 'zip' }, origin, zip);
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

  /** Searches the open file `fd`, whose first `length` bytes are already in `finder.space`. Returns the file's size. */
  function searchOpen(fd: number, length: number, origin: Origin): number {
    let total = 0;
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
      total += read;
    }
    return total;
  }

  /** Reads the zip archive at the end of a file of `size` bytes that begins with other content, if there is one. */
  function zipAtEnd(fd: number, size: number, origin: Origin): ZipSource | undefined {
    const start = Math.max(0, size - ZIP_TAIL);
    const bytes = tail.subarray(0, readSync(fd, tail, 0, size - start, start));
    const span = findZip(bytes, start, (at) => {
      const signature = Buffer.alloc(4);
      return at < 0 ? undefined : signature.subarray(0, readSync(fd, signature, 0, 4, at));
    });
    if (span === undefined) return undefined;
    const base = Math.max(0, span.base);
    const kept = span.end - base > MAX_BYTES_IN_MEMORY ? undefined : Buffer.allocUnsafe(span.end - base);
    if (kept === undefined) {
      tellUnopened(origin, 'large');
      return undefined;
    }
    const length = readSync(fd, kept, 0, kept.length, base);
    return { bytes: kept.subarray(0, length), span: { base: span.base - base, end: span.end - base } };
  }

  /** Opens a file that is an archive. Any error in it becomes a warning. */
  async function openArchive(
    archive: Archive,
    origin: Origin,
    source: Bytes | ZipSource,
    searchPlain?: () => void,
  ): Promise<void> {
    expandableBytes = maxExpandedBytes;
    try {
      await expand(archive, origin, source, 0);
    } catch (error) {
      onWarning(origin, `not read to its end: ${messageOf(error)}`);
      // A damaged archive may contain tokens uncompressed. One that is only too large was searched up to the limit.
      if (!(error instanceof ExpandsTooFar)) searchPlain?.();
    }
  }

  async function expand(archive: Archive, origin: Origin, source: Bytes | ZipSource, depth: number): Promise<void> {
    if (archive.kind === 'zip') {
      const isZip = Buffer.isBuffer(source) || 'path' in source || 'bytes' in source;
      const zip = isZip ? source : await collect(source, MAX_BYTES_IN_MEMORY);
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
      keeper.begin();
      for await (const piece of all) {
        finder.feed(piece);
        keeper.see(piece);
      }
      const zip = keptZip(origin, depth);
      if (zip !== undefined) await expand({ kind: 'zip' }, origin, zip, depth);
    }
  }

  function tellUnopened(origin: Origin, reason: string): void {
    onWarning(origin, `a zip archive after other content is too ${reason} to be opened`, true);
  }

  function keptZip(origin: Origin, depth: number): ZipSource | undefined {
    const kept = keeper.end();
    if (kept === undefined) return undefined;
    const { bytes, span } = kept;
    if (bytes !== undefined && depth < MAX_NESTING) return { bytes, span };
    tellUnopened(origin, bytes === undefined ? 'large' : 'deep');
    return undefined;
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
      if (archive !== undefined) onWarning(origin, 'an archive of more than 256 MiB in the history is not opened');
      start(origin);
      keeper.begin();
      begun = origin;
      return true;
    },

    feed(bytes) {
      finder.feed(bytes);
      keeper.see(bytes);
    },

    end() {
      const zip = begun && keptZip(begun, 0);
      return begun && zip && openArchive({ kind: 'zip' }, begun, zip);
    },
  };
}

/** The innermost name, from which the format may be detected. */
function nameOf({ file, members }: Origin): string {
  return members.at(-1) ?? file;
}

function read(path: Buffer): Bytes {
  return createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
}

async function* once(bytes: Buffer): Bytes {
  yield await Promise.resolve(bytes);
}
