import { runGit, startGit } from './command.js';

/** The commit that added a version of a file. */
export interface Introduction {
  commit: string;
  path: string;
  /** Older commits have lower ranks. */
  rank: number;
}

/** Ids in one command; on every system this many fit into its arguments. */
const BATCH = 1_000;

/**
 * Finds the commit that added each of `blobs`, and its path there. A blob that no commit has is missing from the result.
 * This walks the whole history, which can take seconds, so call it only for blobs with tokens.
 */
export async function findIntroductions(repository: string, blobs: string[]): Promise<Map<string, Introduction>> {
  const found = new Map<string, Introduction>();
  const list = await runGit(repository, ['rev-list', '--all', '--reflog', '--topo-order', '--reverse', '--parents']);
  const commits = list.split('\n').flatMap((line, rank) => {
    const [id = '', ...parents] = line.split(' ');
    return id === '' ? [] : [{ id, rank, isMerge: parents.length > 1 }];
  });
  // Merges take far longer, so they are walked only for blobs that no ordinary commit added.
  for (const merges of [false, true]) {
    const walked = commits.filter(({ isMerge }) => isMerge === merges);
    const rest = blobs.filter((blob) => !found.has(blob));
    for (let at = 0; at < rest.length; at += BATCH) await walk(repository, walked, rest.slice(at, at + BATCH), found);
  }
  return found;
}

async function walk(
  repository: string,
  commits: { id: string; rank: number }[],
  blobs: string[],
  found: Map<string, Introduction>,
): Promise<void> {
  const wanted = new Set(blobs);
  const ranks = new Map(commits.map(({ id, rank }) => [id, rank]));
  const { child, ended } = startGit(repository, [
    ...['diff-tree', '--stdin', '--root', '-m', '-r', '--raw', '-z', '--no-renames', '--no-abbrev'],
    ...blobs.map((blob) => `--find-object=${blob}`),
  ]);
  child.stdin.end(commits.map(({ id }) => `${id}\n`).join(''));
  let commit = '';
  let added: string | undefined;
  for await (const field of fields(child.stdout)) {
    if (added !== undefined) {
      if (wanted.delete(added)) found.set(added, { commit, path: field, rank: ranks.get(commit) ?? 0 });
      added = undefined;
      if (wanted.size === 0) {
        child.kill();
        return;
      }
    } else if (field.startsWith(':')) {
      // `:mode mode before after status`
      added = field.split(' ')[3] ?? '';
    } else {
      commit = field;
    }
  }
  await ended;
}

/** Splits a stream at zero bytes, the only bytes that no path contains. */
async function* fields(stream: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of stream) {
    rest = Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(0); end >= 0; end = rest.indexOf(0, start)) {
      yield rest.toString('utf8', start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
}
