import { type Contents, MAX_BYTES_IN_MEMORY } from '../content.js';
import { HEAD } from '../formats.js';
import { startGit } from './command.js';

const NEWLINE = 0x0a;

export interface ObjectList {
  /** The ids, each with a newline. */
  ids: Buffer;
  count: number;
  /** Of all of them together. */
  bytes: number;
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
  let rest = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    let wanted = '';
    for (const line of lines) {
      const [type, size, id = ''] = line.split(' ');
      if (type === 'tree') continue;
      wanted += `${id}\n`;
      bytes += Number(size);
      count++;
    }
    ids.push(Buffer.from(wanted, 'latin1'));
  }
  await ended;
  return { ids: Buffer.concat(ids), count, bytes };
}

/** Searches the objects in `ids`; each is named by its type and id. Gives how many the repository turned out not to have. */
export async function searchObjects(
  repository: string,
  ids: Buffer,
  contents: Contents,
  onObject: (bytes: number) => void,
): Promise<number> {
  const { child, ended } = startGit(repository, ['cat-file', '--batch', '--buffer']);
  child.stdin.end(ids);
  const input = createInput(child.stdout);
  let missing = 0;
  for (let header = await input.line(); header !== undefined; header = await input.line()) {
    const [id = '', type = '', size = ''] = header.split(' ');
    if (type === 'missing') {
      missing++;
      continue;
    }
    const length = Number(size);
    const name = `${type} ${id}`;
    const isPlain = contents.begin(await input.peek(Math.min(length, HEAD)), name, length <= MAX_BYTES_IN_MEMORY);
    if (isPlain) await input.pass(length, contents.feed);
    else await contents.searchBuffer(await input.take(length), name);
    await input.pass(1, () => undefined);
    onObject(length);
  }
  await ended;
  return missing;
}

/** What a stream gives, by lines and by lengths. */
function createInput(stream: AsyncIterable<Buffer>) {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;

  async function more(): Promise<boolean> {
    const { done, value } = await chunks.next();
    if (done === true) return false;
    chunk = at === chunk.length ? value : Buffer.concat([chunk.subarray(at), value]);
    at = 0;
    return true;
  }

  async function pass(length: number, onPiece: (piece: Buffer) => void): Promise<void> {
    for (let rest = length; rest > 0; ) {
      if (at === chunk.length && !(await more())) throw new Error('git ended in the middle of an object');
      const piece = chunk.subarray(at, at + rest);
      at += piece.length;
      rest -= piece.length;
      onPiece(piece);
    }
  }

  return {
    /** The next line without its end; undefined where there is none. */
    async line(): Promise<string | undefined> {
      let end = chunk.indexOf(NEWLINE, at);
      while (end < 0) {
        if (!(await more())) return undefined;
        end = chunk.indexOf(NEWLINE, at);
      }
      const line = chunk.toString('latin1', at, end);
      at = end + 1;
      return line;
    },
    /** The next few bytes, which stay where they are. */
    async peek(length: number): Promise<Buffer> {
      while (chunk.length - at < length && (await more()));
      return chunk.subarray(at, at + length);
    },
    /** The next bytes in one piece. */
    async take(length: number): Promise<Buffer> {
      const bytes = Buffer.allocUnsafe(length);
      let taken = 0;
      await pass(length, (piece) => {
        taken += piece.copy(bytes, taken);
      });
      return bytes;
    },
    pass,
  };
}
