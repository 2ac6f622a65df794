import zlib from 'node:zlib';
import type { Compressed, Decompressor } from './archives/compressed.js';
import { zstdFrames } from './archives/zstd.js';

/** Format of a content that is not searched as it is. */
export type Format = Archive | Unreadable;
/** A format that cannot be read. `isLeftOut` means that the scan should have read it and is not complete. */
interface Unreadable {
  kind: 'unreadable';
  name: string;
  isLeftOut?: boolean;
}
export type Archive = { kind: 'tar' } | { kind: 'zip' } | Compressed;

/** Bytes at the start of a content that are enough to detect its format. */
export const HEAD = 512;

const MAGIC: [start: string, Format][] = [
  ['1f8b08', { kind: 'compressed', decompress: () => zlib.createGunzip(OPTIONS) }],
  ['28b52ffd', zstd()],
  ['504b0304', { kind: 'zip' }],
  ['504b0506', { kind: 'zip' }],
  ['425a68', { kind: 'unreadable', name: 'bzip2' }],
  ['fd377a585a00', { kind: 'unreadable', name: 'xz' }],
  ['377abcaf271c', { kind: 'unreadable', name: '7z' }],
  ['526172211a07', { kind: 'unreadable', name: 'rar' }],
  ['04224d18', { kind: 'unreadable', name: 'lz4' }],
  ['1f9d', { kind: 'unreadable', name: 'compress (.Z)' }],
  ['4c5a4950', { kind: 'unreadable', name: 'lzip' }],
  ['4d534346', { kind: 'unreadable', name: 'a cabinet' }],
  ['edabeedb', { kind: 'unreadable', name: 'rpm' }],
  ['78617221', { kind: 'unreadable', name: 'xar' }],
  ['68737173', { kind: 'unreadable', name: 'squashfs' }],
  [hexOf('!<arch>\ndebian-binary'), { kind: 'unreadable', name: 'a Debian package' }],
  [hexOf('# v2 git bundle\n'), { kind: 'unreadable', name: 'a git bundle', isLeftOut: true }],
  [hexOf('# v3 git bundle\n'), { kind: 'unreadable', name: 'a git bundle', isLeftOut: true }],
  [hexOf('PACK\0\0\0\x02'), { kind: 'unreadable', name: 'a pack of git', isLeftOut: true }],
  [hexOf('PACK\0\0\0\x03'), { kind: 'unreadable', name: 'a pack of git', isLeftOut: true }],
];
const STARTS = MAGIC.map(([start, format]) => ({ start: Buffer.from(start, 'hex'), format }));
const FIRST_BYTES = new Set(STARTS.map(({ start }) => start[0]));

const USTAR = Buffer.from('ustar');

/** Larger pieces than zlib's default, because each piece costs a turn of the event loop. */
const OPTIONS = { chunkSize: 256 * 1024 };

const BROTLI: Format = { kind: 'compressed', decompress: () => zlib.createBrotliDecompress(OPTIONS) };

/**
 * Detects the format of a content from its first `HEAD` bytes; undefined for content that is searched as it is. Brotli has
 * no signature and is detected by its name.
 */
export function formatOf(head: Buffer, name: string): Format | undefined {
  if (FIRST_BYTES.has(head[0])) {
    const known = STARTS.find(({ start }) => head.subarray(0, start.length).equals(start));
    if (known !== undefined) return known.format;
  }
  if (isTar(head)) return { kind: 'tar' };
  return name.endsWith('.br') ? BROTLI : undefined;
}

/** Checks the signature and the checksum of the first header, because other contents can contain the signature too. */
function isTar(head: Buffer): boolean {
  if (head.length < HEAD || !head.subarray(257, 262).equals(USTAR)) return false;
  const stated = Number.parseInt(head.toString('latin1', 148, 156).replace(/\0.*/s, ''), 8);
  // The checksum's own field counts as eight spaces.
  let sum = 8 * 0x20;
  for (const [index, byte] of head.subarray(0, HEAD).entries()) if (index < 148 || index >= 156) sum += byte;
  return sum === stated;
}

/** Node supports zstd since version 22.15. */
function zstd(): Format {
  const { createZstdDecompress } = zlib as { createZstdDecompress?: (options: object) => Decompressor };
  if (createZstdDecompress === undefined) return { kind: 'unreadable', name: 'zstd (Node 22.15 and newer read it)' };
  return { kind: 'compressed', decompress: () => createZstdDecompress(OPTIONS), prepare: zstdFrames };
}

function hexOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}
