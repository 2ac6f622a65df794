import { closeSync, openSync } from 'node:fs';
import { type Entry, fromBufferPromise, fromFdPromise, getFileNameLowLevel, type ZipFile } from 'yauzl';
import type { Bytes } from '../streams.js';
import type { Member } from './tar.js';

// Names are not checked: nothing is ever written, and an archive with a name that others refuse is to be read too. Stated
// sizes are not believed either, see `onExpanded`.
const OPTIONS = { autoClose: true, decodeStrings: false, validateEntrySizes: false };

/** A member, or why it cannot be read. */
export type ZipMember = Member | { name: string; unreadable: string };

/** The files of the zip archive at `path`, or in memory, see `tarMembers`. */
export async function* zipMembers(
  source: Buffer | { path: Buffer },
  onExpanded: (length: number) => void,
): AsyncGenerator<ZipMember> {
  const zip = Buffer.isBuffer(source) ? await fromBufferPromise(source, OPTIONS) : await openZip(source.path);
  for await (const entry of zip.eachEntry()) {
    const name = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, false);
    if (name.endsWith('/')) continue;
    if (entry.isEncrypted()) yield { name, unreadable: 'encrypted, and not read' };
    else if (!entry.canDecodeFileData()) {
      yield { name, unreadable: `compressed by method ${String(entry.compressionMethod)}, and not read` };
    } else yield { name, bytes: contentOf(zip, entry, onExpanded) };
  }
}

async function openZip(path: Buffer): Promise<ZipFile> {
  const fd = openSync(path, 'r');
  try {
    return await fromFdPromise(fd, OPTIONS);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

async function* contentOf(zip: ZipFile, entry: Entry, onExpanded: (length: number) => void): Bytes {
  for await (const piece of (await zip.openReadStreamPromise(entry)) as AsyncIterable<Buffer>) {
    onExpanded(piece.length);
    yield piece;
  }
}
