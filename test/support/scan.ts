import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { withChecksum } from './plaintext.js';
import { type Finished, latchkey, newFolder } from './process.js';

/** A well-formed token, a different one for each `number`. */
export function tokenOf(number: number, kind = 'pat', brand = 'lk'): string {
  return withChecksum(`${brand}_${kind}_${String(number).padStart(30, 'aZ9')}`);
}

export interface Finding {
  source: 'file' | 'history';
  file: string;
  line: number;
  column: number;
  offset: number;
  commit: string | null;
  versions: number | null;
  kind: string;
  brand: string;
  masked: string;
  fingerprint: string;
  state: string | null;
}

export interface Scanned extends Finished {
  findings: Finding[];
  /** The findings as `file:line:column`. */
  places: string[];
  warnings: { place: string; message: string }[];
  summary: { tokens: number; allowed: number; places: number; unlistedPlaces: number; complete: boolean };
}

/** Runs `latchkey scan --json`, and checks that no output contains a token. */
export async function scanned(args: string[], options: Parameters<typeof latchkey>[1] = {}): Promise<Scanned> {
  const finished = await latchkey(['scan', '--json', ...args], options);
  expectNoTokenIn(finished.stdout + finished.stderr);
  const report = JSON.parse(finished.stdout) as Pick<Scanned, 'findings' | 'warnings' | 'summary'>;
  const places = report.findings.map(({ file, line, column }) => `${file}:${String(line)}:${String(column)}`);
  return { ...finished, ...report, places };
}

export function expectNoTokenIn(text: string): void {
  expect(text).not.toMatch(/_(pat|ses|ref)_[0-9A-Za-z]{36}/);
}

/** Creates a temporary folder with these files. */
export async function folderWith(files: Record<string, string | Uint8Array>): Promise<string> {
  const folder = await newFolder();
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return folder;
}
