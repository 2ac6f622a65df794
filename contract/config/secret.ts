import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CouldNotRun } from '../errors.js';

/** Where a credential is to be found, so that it stands in no file that is kept and on no command line. */
export type SecretSource = { env: string } | { file: string };

/** The credential, with white space at its ends stripped. `folder` is that of relative paths. */
export async function readSecret(source: SecretSource, folder: string): Promise<string> {
  if ('env' in source) {
    const value = process.env[source.env]?.trim() ?? '';
    if (value === '') throw new CouldNotRun(`the environment variable ${source.env} is not set`);
    return value;
  }
  const path = resolve(folder, source.file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new CouldNotRun(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (text.trim() === '') throw new CouldNotRun(`${path} is empty`);
  return text.trim();
}

/** The credential that `env:NAME` or `file:PATH` name, or else the text itself. */
export async function readCredential(text: string): Promise<string> {
  const [, kind, place = ''] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (kind === undefined) return text;
  return await readSecret(kind === 'env' ? { env: place } : { file: place }, process.cwd());
}
