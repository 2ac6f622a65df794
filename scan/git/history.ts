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

/** So many processes of git read at once, each from so many objects on. */
const MAX_READERS = 4;
const OBJECTS_A_READER = 5_000;

export interface HistoryOptions extends Pick<ContentsOptions, 'maxExpandedBytes' | 'onWarning' | 'onRead'> {
  newFinder: () => Finder;
  findings: Findings;
  /** Bytes that are going to be read. */
  onListed: (bytes: number) => void;
}

/** A token in an object; `file` of its origin is the object's type and id. */
interface Sighting {
  token: LocatedToken;
  origin: Origin;
}

/**
 * The git directory of the repository that `folder` is in, and the folder of its files; undefined where it is in none. Rejects
 * where git refuses.
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
 * Searches all that a repository has stored, each object once: every version of every file, and the messages of commits and
 * tags. `shownAs` names the git directory in what is found. Resolves with the number of objects; rejects where git does.
 */
export async function scanHistory(repository: string, shownAs: string, options: HistoryOptions): Promise<number> {
  const { findings, newFinder, maxExpandedBytes, onRead, onListed } = options;
  const onWarning = (members: readonly string[], message: string, isLeftOut = false) => {
    options.onWarning({ file: shownAs, members }, message, isLeftOut);
  };
  const asked = await runGit(repository, ['rev-parse', '--is-shallow-repository', '--absolute-git-dir']);
  const [isShallow, found = ''] = asked.split('\n');
  // Else it would be another one, which this lies in.
  if (realpathSync(found) !== realpathSync(repository)) throw new Error('git does not take it for a repository');
  if (isShallow === 'true') onWarning([], 'a shallow clone: what is older is not here');
  const whole = assertWhole(repository, (message) => {
    onWarning([], message);
  });
  // It is waited for at the end, and may fail before.
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
  // What was found until one failed counts, too.
  if (sightings.length > 0) await addToFindings(repository, shownAs, sightings, findings, onWarning);
  await Promise.all(readers);
  if (objects.damaged > 0) throw new Error(`objects that git cannot read: ${String(objects.damaged)}`);
  await whole;
  if (await lacksPromised(repository)) throw new Error('a partial clone: what was never fetched is not here');
  return objects.count;
}

/** The ids in as many parts as there are to be readers; neighbours stay together, which git reads faster. */
function shares({ ids, count }: ObjectList): Buffer[] {
  const readers = Math.min(MAX_READERS, availableParallelism(), Math.ceil(count / OBJECTS_A_READER));
  const each = Math.ceil(count / readers) * (ids.indexOf('\n') + 1);
  return Array.from({ length: readers }, (_, index) => ids.subarray(index * each, (index + 1) * each));
}

/** Adds each token once for each file that it was in, with the commit that brought it there. */
async function addToFindings(
  repository: string,
  shownAs: string,
  sightings: Sighting[],
  findings: Findings,
  onWarning: (members: readonly string[], message: string) => void,
): Promise<void> {
  const blobs = new Set(sightings.flatMap(({ origin }) => (typeOf(origin) === 'blob' ? [idOf(origin)] : [])));
  const introductions = await findIntroductions(repository, [...blobs]).catch((error: unknown) => {
    onWarning([], `commits are not told: ${messageOf(error)}`);
    return new Map<string, Introduction>();
  });
  const rankOf = ({ origin }: Sighting) => introductions.get(idOf(origin))?.rank ?? Infinity;
  const groups = new Map<string, Sighting[]>();
  // The oldest first, and in one version from its beginning on.
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
  // Any other repository has no work tree, or not there.
  if (basename(shownAs) === '.git') return { file: join(dirname(shownAs), path), members, expanded, history };
  return { file: shownAs, members: [path, ...members], expanded, history };
}

/** As people write it: `blob 7e25fc8e80b3`. */
function shortNameOf(object: string): string {
  return object.replace(/(?<= [0-9a-f]{12}).*/, '');
}

function typeOf({ file }: Origin): string {
  return file.slice(0, file.indexOf(' '));
}

function idOf({ file }: Origin): string {
  return file.slice(file.indexOf(' ') + 1);
}

/** Of numbers that may both be infinite. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b;
}
