import { closeSync, openSync, writeSync } from 'node:fs';
import { expect } from 'vitest';

/** Takes what space there is left on the file system of `path`. */
export function fillDisk(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [65_536, 4_096, 512]) {
      try {
        for (;;) if (writeSync(file, Buffer.alloc(size)) < size) break;
      } catch (error) {
        expect(error).toMatchObject({ code: 'ENOSPC' });
      }
    }
  } finally {
    closeSync(file);
  }
}
