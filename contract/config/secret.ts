import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CouldNotRun } from '../errors.js';

/** The environment variable or the file that contains a credential, so that no configuration file has to. */
export type SecretSource = { env: string } | { file: string };

/**
 * Reads a credential and strips white space at both ends. A relative path is relative to `folder`. Rejects with
 * `CouldNotRun` if the variable is not set, or the file is empty or cannot be read.
 */
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

/**
 * Reads the credential that `env:NAME` or `file:PATH` names; any other text is the credential itself. Rejects with
 * `CouldNotRun` if the variable is not set, or the file is empty or cannot be read.
 */
export async function readCredential(text: string): Promise<string> {
  const [, kind, place = ''] = /^(env|file):(.+)$/s.exec(text) ?? [];
  if (kind === undefined) return text;
  return await readSecret(kind === 'env' ? { env: place } : { file: place }, process.cwd());
}
