import { closeSync, openSync } from 'node:fs';
import { Readable } from 'node:stream';
import {
  type Entry,
  fromBufferPromise,
  fromFdPromise,
  fromRandomAccessReaderPromise,
  getFileNameLowLevel,
  RandomAccessReader,
  type ZipFile,
} from 'yauzl';
import type { Bytes } from '../streams.js';
import type { Member } from './tar.js';
import type { ZipSpan } from './zip-end.js';

// Names are not validated: nothing is written to disk, so unsafe names do no harm. Stated sizes are not validated either;
// `onExpanded` counts the real ones.
const OPTIONS = { autoClose: true, decodeStrings: false, validateEntrySizes: false };

/** A file in a zip archive, or the reason why it cannot be read. */
export type ZipMember = Member | { name: string; unreadable: string };

/** A zip archive: a file, a buffer, or a part of a buffer. */
export type ZipSource = Buffer | { path: Buffer } | { bytes: Buffer; span: ZipSpan };

/** Yields the files of a zip archive in order. Read each file, or ignore it, before the next. Throws if it is damaged. */
export async function* zipMembers(source: ZipSource, onExpanded: (length: number) => void): AsyncGenerator<ZipMember> {
  const zip = await openZip(source);
  for await (const entry of zip.eachEntry()) {
    const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
    if (name.endsWith('/')) continue;
    if (entry.isEncrypted()) yield { name, unreadable: 'encrypted, and not read' };
    else if (!entry.canDecodeFileData()) {
      yield { name, unreadable: `compressed by method ${String(entry.compressionMethod)}, and not read` };
    } else yield { name, bytes: contentOf(zip, entry, onExpanded) };
  }
}

async function openZip(source: ZipSource): Promise<ZipFile> {
  if (Buffer.isBuffer(source)) return await fromBufferPromise(source, OPTIONS);
  if ('bytes' in source) {
    const { base, end } = source.span;
    return await fromRandomAccessReaderPromise(new PartOfBuffer(source.bytes, base), end - base, OPTIONS);
  }
  const fd = openSync(source.path, 'r');
  try {
    return await fromFdPromise(fd, OPTIONS);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

class PartOfBuffer extends RandomAccessReader {
  constructor(
    private readonly bytes: Buffer,
    private readonly base: number,
  ) {
    super();
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from([this.bytes.subarray(Math.max(0, this.base + start), Math.max(0, this.base + end))]);
  }
}

async function* contentOf(zip: ZipFile, entry: Entry, onExpanded: (length: number) => void): Bytes {
  for await (const piece of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    onExpanded(piece.length);
    yield piece;
  }
}
