import { realpathSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type ContentsOptions, createContents, type Origin } from '../content.js';
import { messageOf } from '../errors.js';
import type { Finder, LocatedToken } from '../finder.js';
import { type Findings, MAX_PLACES } from '../findings.js';
import { runGit } from './command.js';
import { findIntroductions, type Introduction } from './commits.js';
import { listObjects, type ObjectList, searchObjects } from './objects.js';
import { assertWhole, lacksPromised } from './whole.js';

/** Most git processes at a time, and the number of objects for which another one is started. */
const MAX_READERS = 4;
const OBJECTS_A_READER = 5_000;

export interface HistoryOptions extends Pick<ContentsOptions, 'maxExpandedBytes' | 'onWarning' | 'onRead'> {
  newFinder: () => Finder;
  findings: Findings;
  /** Gets the number of bytes that will be read. */
  onListed: (bytes: number) => void;
}

/** A token in a git object. The `file` of its origin is the object's type and id. */
interface Sighting {
  token: LocatedToken;
  origin: Origin;
}

/**
 * Finds the git directory of the repository that contains `folder`, and the folder of its files; undefined if there is none.
 * Rejects if git rejects the repository.
 */
export async function findRepository(folder: string): Promise<{ path: string; workTree?: string } | undefined> {
  const ask = async (what: string) => (await runGit(folder, ['rev-parse', '--path-format=absolute', what])).trimEnd();
  try {
    const path = realpathSync(await ask('--git-common-dir'));
    return (await ask('--is-inside-work-tree')) === 'true'
      ? { path, workTree: await ask('--show-toplevel') }
      : { path };
  } catch (error) {
    if (error instanceof Error && error.message.includes('not a git repository (or any')) return undefined;
    throw error;
  }
}

/**
 * Searches every object of a repository once: all versions of all files, and the messages of commits and tags. `shownAs` is
 * the name of the git directory in the findings. Resolves with the number of objects. Rejects if git fails.
 */
export async function scanHistory(repository: string, shownAs: string, options: HistoryOptions): Promise<number> {
  const { findings, newFinder, maxExpandedBytes, onRead, onListed } = options;
  const onWarning = (members: readonly string[], message: string, isLeftOut = false) => {
    options.onWarning({ file: shownAs, members }, message, isLeftOut);
  };
  const asked = await runGit(repository, ['rev-parse', '--is-shallow-repository', '--absolute-git-dir']);
  const [isShallow, found = ''] = asked.split('\n');
  // Otherwise git has found an outer repository that contains this folder.
  if (realpathSync(found) !== realpathSync(repository)) throw new Error('git does not recognise it as a repository');
  if (isShallow === 'true') onWarning([], 'a shallow clone: older commits are missing');
  const whole = assertWhole(repository, (message) => {
    onWarning([], message);
  });
  // It is awaited at the end, but may reject before that.
  whole.catch(() => undefined);
  const objects = await listObjects(repository);
  onListed(objects.bytes);

  const sightings: Sighting[] = [];
  const readers = shares(objects).map((ids) => {
    const contents = createContents({
      finder: newFinder(),
      maxExpandedBytes,
      onRead: () => undefined,
      onWarning: ({ file, members }, message, isLeftOut) => {
        onWarning([shortNameOf(file), ...members], message, isLeftOut);
      },
      onToken: (token, origin) => {
        if (sightings.length < MAX_PLACES) sightings.push({ token, origin });
        else findings.addUnlisted();
      },
    });
    return searchObjects(repository, ids, contents, onRead);
  });
  await Promise.allSettled([...readers, whole]);
  // Tokens found before a failure are reported too.
  if (sightings.length > 0) await addToFindings(repository, shownAs, sightings, findings, onWarning);
  await Promise.all(readers);
  if (objects.damaged > 0) throw new Error(`objects that git cannot read: ${String(objects.damaged)}`);
  await whole;
  if (await lacksPromised(repository)) throw new Error('a partial clone: objects that were never fetched are missing');
  return objects.count;
}

/** Splits the ids into one part for each reader. Neighbours stay together, because git then reads faster. */
function shares({ ids, count }: ObjectList): Buffer[] {
  const readers = Math.min(MAX_READERS, availableParallelism(), Math.ceil(count / OBJECTS_A_READER));
  const each = Math.ceil(count / readers) * (ids.indexOf('\n') + 1);
  return Array.from({ length: readers }, (_, index) => ids.subarray(index * each, (index + 1) * each));
}

/** Adds each token once for each file that contained it, with the commit that added it. */
async function addToFindings(
  repository: string,
  shownAs: string,
  sightings: Sighting[],
  findings: Findings,
  onWarning: (members: readonly string[], message: string) => void,
): Promise<void> {
  const blobs = new Set(sightings.flatMap(({ origin }) => (typeOf(origin) === 'blob' ? [idOf(origin)] : [])));
  const introductions = await findIntroductions(repository, [...blobs]).catch((error: unknown) => {
    onWarning([], `the commits could not be found: ${messageOf(error)}`);
    return new Map<string, Introduction>();
  });
  const rankOf = ({ origin }: Sighting) => introductions.get(idOf(origin))?.rank ?? Infinity;
  const groups = new Map<string, Sighting[]>();
  // Oldest version first, and by position within a version.
  for (const sighting of sightings.sort((a, b) => compare(rankOf(a), rankOf(b)) || a.token.offset - b.token.offset)) {
    const { token, origin } = sighting;
    const path = introductions.get(idOf(origin))?.path ?? origin.file;
    const key = [token.plaintext, path, ...origin.members].join('\0');
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [sighting]);
    else group.push(sighting);
  }
  for (const [first, ...others] of groups.values() as Iterable<[Sighting, ...Sighting[]]>) {
    const oldest = idOf(first.origin);
    const versions = new Set([first, ...others].map(({ origin }) => idOf(origin))).size;
    for (const { token, origin } of [first, ...others]) {
      if (idOf(origin) === oldest) findings.add(token, placeOf(origin, shownAs, versions, introductions.get(oldest)));
    }
  }
}

function placeOf(origin: Origin, shownAs: string, versions: number, introduction?: Introduction) {
  const { members, expanded } = origin;
  if (introduction === undefined) {
    const commit = typeOf(origin) === 'commit' ? idOf(origin) : null;
    return { file: shownAs, members: [shortNameOf(origin.file), ...members], expanded, history: { commit, versions } };
  }
  const { path, commit } = introduction;
  const history = { commit, versions };
  // Other repositories have no work tree, or have it elsewhere.
  if (basename(shownAs) === '.git') return { file: join(dirname(shownAs), path), members, expanded, history };
  return { file: shownAs, members: [path, ...members], expanded, history };
}

/** Shortens the id: `blob 7e25fc8e80b3`. */
function shortNameOf(object: string): string {
  return object.replace(/(?<= [0-9a-f]{12}).*/, '');
}

function typeOf({ file }: Origin): string {
  return file.slice(0, file.indexOf(' '));
}

function idOf({ file }: Origin): string {
  return file.slice(file.indexOf(' ') + 1);
}

/** Compares numbers that may be infinite. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
