import { statSync } from 'node:fs';
import { createContents, type Origin } from './content.js';
import { CouldNotScan, messageOf } from './errors.js';
import { createFinder, type Finder } from './finder.js';
import { createFindings } from './findings.js';
import { scanHistory } from './git/history.js';
import { distinct, listRepositoriesAround, listSources, readInputs, type Source } from './inputs.js';
import { maskTokens } from './pattern.js';
import { nameOf, type ScanProgress, type ScanReport, type ScanWarning } from './report/types.js';

export { parseAllowList } from './allow.js';
export { CouldNotScan } from './errors.js';
export { toJson } from './report/json.js';
export { toSarif } from './report/sarif.js';
export { toSummary, toWarnings } from './report/summary.js';
export type * from './report/types.js';

export interface ScanOptions {
  /** Find tokens of these brands alone. By default of any, since the checksum covers the brand. */
  brands?: readonly string[];
  /** Fingerprints of tokens that are known and accepted. */
  allow?: readonly string[];
  /**
   * Whether to search what git has stored. By default of repositories that lie, git directory included, in what is named;
   * with `true` also of the repository that it lies in.
   */
  history?: boolean;
  /** Bytes that one file may expand to, with all archives in it; 4 GiB by default. */
  maxExpandedBytes?: number;
  /** Called often; show it now and then. */
  onProgress?: (progress: ScanProgress) => void;
}

const MAX_EXPANDED_BYTES = 4 * 1024 ** 3;

/**
 * Searches files, folders, archives and git repositories for Latchkey tokens, by pattern and checksum, offline. `paths` are
 * files and folders, or `-` for standard input.
 *
 * Rejects with `CouldNotScan` where none of the paths can be read. What else cannot be read is a warning in the report.
 */
export async function scan(paths: readonly string[], options: ScanOptions = {}): Promise<ScanReport> {
  const { maxExpandedBytes = MAX_EXPANDED_BYTES, onProgress } = options;
  const startedAt = performance.now();
  const warnings: ScanWarning[] = [];
  const findings = createFindings(new Set(options.allow));
  const brands = options.brands && new Set(options.brands);
  const finders: Finder[] = [];
  const counts = { files: 0, objects: 0 };
  const unreadable: string[] = [];
  let complete = true;

  function newFinder(): Finder {
    const finder = createFinder(brands);
    finders.push(finder);
    return finder;
  }

  function onWarning(origin: Pick<Origin, 'file' | 'members'>, message: string, isLeftOut = false): void {
    if (isLeftOut) complete = false;
    warnings.push({ place: maskTokens(nameOf(origin)), message: maskTokens(message) });
  }

  /** What it gives counts the bytes of a phase and tells of them. */
  function progressOf(phase: ScanProgress['phase'], totalBytes: () => number): (length: number) => void {
    let bytes = 0;
    return (length) => {
      bytes += length;
      onProgress?.({ phase, bytes, totalBytes, tokens: findings.count, elapsedMs: performance.now() - startedAt });
    };
  }

  async function searchFiles(sources: Source[]): Promise<void> {
    let total: number | undefined;
    const totalBytes = () => (total ??= sources.reduce((sum, source) => sum + sizeOf(source), 0));
    const contents = createContents({
      finder: newFinder(),
      maxExpandedBytes,
      onToken: findings.add,
      onWarning,
      onRead: progressOf('files', totalBytes),
    });
    for (const { path, file, stream } of sources) {
      try {
        // Most are done on return, and waiting for nothing would take longer than searching them.
        const searching =
          stream === undefined ? contents.searchFile(path, file) : contents.searchStream(stream(), file);
        if (searching !== undefined) await searching;
        counts.files++;
      } catch (error) {
        onWarning({ file, members: [] }, messageOf(error));
      }
    }
    // Each that could not be read is a warning.
    if (counts.files === 0 && warnings.length > 0) complete = false;
  }

  async function searchHistory(path: string, file: string): Promise<void> {
    let total = 0;
    const onListed = (bytes: number) => (total = bytes);
    const onRead = progressOf('history', () => total);
    try {
      counts.objects += await scanHistory(path, file, {
        newFinder,
        findings,
        maxExpandedBytes,
        onWarning,
        onRead,
        onListed,
      });
    } catch (error) {
      onWarning({ file, members: [] }, `${messageOf(error)} (--no-history leaves the history out)`);
      complete = false;
    }
  }

  const inputs = readInputs(paths, (path, message) => {
    onWarning({ file: path, members: [] }, message);
    unreadable.push(path);
    complete = false;
  });
  const { sources, repositories } = listSources(inputs, onWarning);
  if (options.history === true) repositories.push(...(await repositoriesAround(inputs)));
  await searchFiles(sources);
  if (options.history !== false) {
    for (const { path, file } of distinct(repositories, ({ path }) => path)) await searchHistory(path, file);
  }
  return {
    ...findings.summary(),
    complete,
    unreadable,
    warnings,
    ...counts,
    bytes: finders.reduce((sum, { searched }) => sum + searched, 0),
    durationMs: performance.now() - startedAt,
  };
}

async function repositoriesAround(inputs: ReturnType<typeof readInputs>) {
  try {
    return await listRepositoriesAround(inputs);
  } catch (error) {
    throw new CouldNotScan(`--history: ${messageOf(error)}`);
  }
}

/** For the progress alone, so what cannot be told counts nothing. */
function sizeOf({ path, stream }: Source): number {
  try {
    return stream === undefined ? statSync(path).size : 0;
  } catch {
    return 0;
  }
}
