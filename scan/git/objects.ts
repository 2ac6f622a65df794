import { type Contents, MAX_BYTES_IN_MEMORY } from '../content.js';
import { HEAD } from '../formats.js';
import { readFrom } from '../streams.js';
import { startGit } from './command.js';

export interface ObjectList {
  /** The ids, each with a newline. */
  ids: Buffer;
  count: number;
  /** Of all of them together. */
  bytes: number;
  /** Objects that git cannot read, and so are not among them. */
  damaged: number;
}

/** All that a repository has on this machine but its folders, in an order in which git reads them fast. */
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

/** Searches the objects in `ids`; each is named by its type and id. Rejects where git cannot read one. */
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
    // Where git ended too early, it knows why.
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
    if (type === 'missing') throw new Error(`${id} was there a moment ago`);
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
