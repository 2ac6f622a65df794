import { readFileSync, writeFileSync } from 'node:fs';
import {
  CouldNotScan,
  parseAllowList,
  type ScanOptions,
  type ScanProgress,
  type ScanReport,
  scan,
  type Tool,
  toJson,
  toolConfiguration,
  toSarif,
  toSummary,
  toWarnings,
} from '../../scan/index.js';
import { defaultConfig } from '../../server/config/config.js';
import { variableIn } from '../../server/config/environment.js';
import { Failure, WrongUse } from '../failure.js';
import { showProgress } from '../progress.js';
import type { ScanFlags } from './flags.js';
import { isInvalid, withStates } from './live.js';

/** Scans, prints the report and returns the exit code. With `--print-patterns` it prints these instead. */
export async function search(paths: string[], flags: ScanFlags, version: string): Promise<number> {
  if (flags.printPatterns !== undefined) return printPatterns(flags.printPatterns, paths, flags);
  if (paths.length === 0) throw new WrongUse("missing required argument 'path'");
  const progress = showProgress(describe, { afterMs: 1_000 });
  try {
    const found = await scan(paths, { ...toOptions(flags), onProgress: progress.show });
    progress.clear();
    const report = flags.check === true || flags.revoke === true ? await withStates(found, flags) : found;
    for (const line of toWarnings(report)) process.stderr.write(`latchkey: ${line}\n`);
    print(report, flags, version);
    // A given path that cannot be read is an error of the command line, even if tokens were found.
    if (report.unreadable.length > 0) return 2;
    if (report.tokens.some(({ state }) => !isInvalid(state))) return 1;
    return report.complete ? 0 : 2;
  } catch (error) {
    progress.clear();
    // Exit code 1 means that tokens were found, which is unknown here.
    const isExpected =
      error instanceof CouldNotScan || error instanceof Failure || (error instanceof Error && 'syscall' in error);
    if (isExpected) process.stderr.write(`latchkey: ${error.message}\n`);
    else console.error(error);
    return 2;
  }
}

function printPatterns(tool: Tool, paths: string[], { brand: brands }: ScanFlags): number {
  if (paths.length > 0) throw new WrongUse('--print-patterns searches nothing, so it takes no path');
  const brand = variableIn(process.env, 'LATCHKEY_BRAND') ?? defaultConfig.brand;
  const wanted = brands ?? [brand];
  if (!wanted.every(isBrand))
    throw new WrongUse(`${brands === undefined ? 'LATCHKEY_BRAND' : '--brand'} ${BRAND_RULE}`);
  process.stdout.write(toolConfiguration(tool, wanted));
  return 0;
}

const BRAND_RULE = 'must be 1 to 16 lower-case letters and digits, a letter first';

function isBrand(text: string): boolean {
  return /^[a-z][a-z0-9]{0,15}$/.test(text);
}

function toOptions({ brand, history, allow = [], maxExpanded, json, sarif, output }: ScanFlags): ScanOptions {
  if (brand?.every(isBrand) === false) throw new CouldNotScan(`--brand ${BRAND_RULE}`);
  if (output !== undefined && json !== true && sarif !== true)
    throw new CouldNotScan('--output needs --json or --sarif');
  return {
    allow: allow.flatMap((file) => parseAllowList(readFileSync(file, 'utf8'), file)),
    ...(brand !== undefined && { brands: brand }),
    ...(history !== undefined && { history }),
    ...(maxExpanded !== undefined && { maxExpandedBytes: readSize(maxExpanded) }),
  };
}

function readSize(size: string): number {
  const [, number, unit = ''] = /^(\d{1,12})([KMGT]?)$/i.exec(size) ?? [];
  if (number === undefined) throw new CouldNotScan('--max-expanded must be bytes, or a size such as 500M or 4G');
  return Number(number) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit.toUpperCase());
}

function print(report: ScanReport, { json, sarif, output }: ScanFlags, version: string): void {
  const summary = `${toSummary(report, { colours: process.stdout.isTTY && process.stdout.hasColors() })}\n`;
  if (json !== true && sarif !== true) {
    process.stdout.write(summary);
    return;
  }
  const document = sarif === true ? toSarif(report, version) : toJson(report);
  if (output === undefined) {
    process.stdout.write(document);
    return;
  }
  writeFileSync(output, document);
  process.stdout.write(summary);
}

const BAR_WIDTH = 24;

function describe({ phase, bytes, totalBytes, tokens, elapsedMs }: ScanProgress): string {
  const total = Math.max(totalBytes(), bytes, 1);
  const share = bytes / total;
  const bar = '='.repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH);
  const found = tokens === 0 ? '' : `  ${String(tokens)} ${tokens === 1 ? 'token' : 'tokens'}`;
  const size = `${(bytes / 1e6).toFixed(0)} of ${(total / 1e6).toFixed(0)} MB`;
  return `${phase} [${bar}] ${(share * 100).toFixed(0).padStart(3)} %  ${size}  ${(elapsedMs / 1_000).toFixed(0)} s${found}`;
}
