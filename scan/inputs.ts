import { accessSync, constants, createReadStream, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import type { ContentsOptions } from './content.js';
import { CouldNotScan, messageOf } from './errors.js';
import { listFiles } from './files.js';
import { findRepository } from './git/history.js';
import type { Bytes } from './streams.js';

/** A file, pipe or standard input to search. */
export interface Source {
  path: Buffer;
  /** Name in the report. */
  file: string;
  /** Set for a source that can be read only once, such as a pipe. */
  stream?: () => Bytes;
}

/** A git repository to search. */
export interface Repository {
  /** Path of the git directory. */
  path: string;
  /** Name in the report. */
  file: string;
}

interface Input {
  path: string;
  /** Undefined for standard input. */
  stats?: Stats;
}

/**
 * Examines the paths to scan. `onUnreadable` gets each path that cannot be read, with the reason. Throws `CouldNotScan` if
 * none can be read.
 */
export function readInputs(paths: readonly string[], onUnreadable: (path: string, message: string) => void): Input[] {
  const unreadable: [path: string, message: string][] = [];
  const inputs = paths.flatMap((path): Input[] => {
    if (path === '-') return [{ path }];
    try {
      accessSync(path, constants.R_OK);
      // Without a trailing slash, which would be doubled in the paths below it.
      return [{ path: normalize(path).replace(/(?<=.)[/\\]$/, ''), stats: statSync(path) }];
    } catch (error) {
      unreadable.push([path, `cannot be read: ${messageOf(error)}`]);
      return [];
    }
  });
  const [first] = unreadable;
  if (inputs.length === 0 && first !== undefined) throw new CouldNotScan(first.join(' '));
  for (const [path, message] of unreadable) onUnreadable(path, message);
  return inputs;
}

/** Lists all files in `inputs`, each once, and the git directories among them. */
export function listSources(
  inputs: Input[],
  onWarning: ContentsOptions['onWarning'],
): { sources: Source[]; repositories: Repository[] } {
  const sources: Source[] = [];
  const repositories: Repository[] = [];
  for (const { path, stats } of inputs) {
    const bytes = Buffer.from(path);
    if (stats === undefined) {
      sources.push({ path: bytes, file: 'stdin', stream: () => process.stdin as AsyncIterable<Buffer> });
    } else if (stats.isDirectory()) {
      const found = listFiles(bytes);
      for (const file of found.files) sources.push({ path: file, file: file.toString() });
      for (const repository of found.repositories) {
        repositories.push({ path: realpathSync(repository), file: repository.toString() });
      }
      for (const { path, error } of found.unreadable) {
        onWarning({ file: path.toString(), members: [] }, messageOf(error));
      }
    } else {
      const stream = () => createReadStream(path) as AsyncIterable<Buffer>;
      sources.push({ path: bytes, file: path, ...(!stats.isFile() && { stream }) });
    }
  }
  return {
    sources: inputs.length === 1 ? sources : distinct(sources, ({ path }) => path.toString('latin1')),
    repositories,
  };
}

/** Lists the repositories that contain `inputs`. Rejects if git rejects one. */
export async function listRepositoriesAround(inputs: Input[]): Promise<Repository[]> {
  const found: Repository[] = [];
  for (const { path, stats } of inputs) {
    if (stats === undefined) continue;
    const repository = await findRepository(stats.isDirectory() ? path : dirname(path));
    if (repository === undefined) continue;
    const { path: gitDirectory, workTree } = repository;
    const shown = workTree === undefined ? gitDirectory : join(workTree, '.git');
    found.push({ path: gitDirectory, file: relative(process.cwd(), shown) || '.' });
  }
  return found;
}

/** Keeps the first value of each name. */
export function distinct<T>(values: T[], nameOf: (value: T) => string): T[] {
  const seen = new Set<string>();
  return values.filter((value) => {
    const name = nameOf(value);
    return !seen.has(name) && seen.add(name);
  });
}
