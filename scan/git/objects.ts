import { type Contents, MAX_BYTES_IN_MEMORY } from '../content.js';
import { HEAD } from '../formats.js';
import { readFrom } from '../streams.js';
import { startGit } from './command.js';

export interface ObjectList {
  /** The ids, each followed by a newline. */
  ids: Buffer;
  count: number;
  /** Bytes of all objects together. */
  bytes: number;
  /** Number of objects that git cannot read; they are not in `ids`. */
  damaged: number;
}

/** Lists all objects that a repository has on this machine, except trees, in an order that git reads fast. */
export async function listObjects(repository: string): Promise<ObjectList> {
  const format = '%(objecttype) %(objectsize) %(objectname)';
  const { child, ended } = startGit(repository, [
    ...['cat-file', '--batch-all-objects', '--unordered', '--buffer', `--batch-check=${format}`],
  ]);
  child.stdin.end();
  const ids: Buffer[] = [];
  let count = 0;
  let bytes = 0;
  let damaged = 0;
  let rest = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    let wanted = '';
    for (const line of lines) {
      const [type, size, id] = line.split(' ');
      if (type === 'tree') continue;
      if (id === undefined) {
        damaged++;
        continue;
      }
      wanted += `${id}\n`;
      bytes += Number(size);
      count++;
    }
    ids.push(Buffer.from(wanted, 'latin1'));
  }
  await ended;
  return { ids: Buffer.concat(ids), count, bytes, damaged };
}

/** Searches the objects in `ids`; each is named by its type and id. Rejects if git cannot read one. */
export async function searchObjects(
  repository: string,
  ids: Buffer,
  contents: Contents,
  onObject: (bytes: number) => void,
): Promise<void> {
  const { child, ended } = startGit(repository, ['cat-file', '--batch', '--buffer']);
  child.stdin.end(ids);
  try {
    await searchBatch(readFrom(child.stdout), contents, onObject);
    await ended;
  } catch (error) {
    // If git ended too early, its own error has the reason.
    if (child.stdout.readableEnded) await ended;
    child.kill();
    throw error;
  }
}

async function searchBatch(
  input: ReturnType<typeof readFrom>,
  contents: Contents,
  onObject: (bytes: number) => void,
): Promise<void> {
  for (let header = await input.line(); header !== undefined; header = await input.line()) {
    const [id = '', type = '', size = ''] = header.split(' ');
    if (type === 'missing') throw new Error(`object ${id} has disappeared during the scan`);
    const length = Number(size);
    const name = `${type} ${id}`;
    const isPlain = contents.begin(await input.peek(Math.min(length, HEAD)), name, length <= MAX_BYTES_IN_MEMORY);
    if (!isPlain) await contents.searchBuffer(await input.take(length), name);
    else {
      for await (const piece of input.pieces(length)) contents.feed(piece);
      await contents.end();
    }
    // A newline.
    await input.take(1);
    onObject(length);
  }
}
