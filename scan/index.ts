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
export { type Tool, toolConfiguration } from './tools.js';

export interface ScanOptions {
  /** Find tokens of these brands only. By default of any brand, which the checksum covers too. */
  brands?: readonly string[];
  /** Fingerprints of tokens that are accepted and not reported. */
  allow?: readonly string[];
  /**
   * Whether to search the history of git repositories. By default, of repositories whose git directory is inside the paths;
   * with `true`, also of the repositories that contain the paths; with `false`, of none.
   */
  history?: boolean;
  /** Most bytes that one file may expand to, including all archives in it; 4 GiB by default. */
  maxExpandedBytes?: number;
  /** Called for each piece that is read, so do not display every call. */
  onProgress?: (progress: ScanProgress) => void;
}

const MAX_EXPANDED_BYTES = 4 * 1024 ** 3;

/**
 * Searches files, folders, archives and git repositories for Latchkey tokens, by pattern and checksum, without a network.
 * `paths` are files and folders, or `-` for standard input.
 *
 * Rejects with `CouldNotScan` if none of the paths can be read. Anything else that cannot be read is a warning in the report.
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

  /** Returns a function that adds up the bytes of a phase and reports them to `onProgress`. */
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
        // Most files are done without a promise, and an `await` would take longer than the search.
        const searching =
          stream === undefined ? contents.searchFile(path, file) : contents.searchStream(stream(), file);
        if (searching !== undefined) await searching;
        counts.files++;
      } catch (error) {
        onWarning({ file, members: [] }, messageOf(error));
      }
    }
    // No file could be read, and each is a warning.
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
      onWarning({ file, members: [] }, `${messageOf(error)} (to skip the history: --no-history)`);
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

/** Size of a source in bytes, for the progress display; 0 if it is unknown. */
function sizeOf({ path, stream }: Source): number {
  try {
    return stream === undefined ? statSync(path).size : 0;
  } catch {
    return 0;
  }
}
