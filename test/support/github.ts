import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';

/** A pair of keys with which GitHub could sign its messages. */
export interface GitHubKey {
  id: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
}

export function newGitHubKey(id = 'one', namedCurve = 'P-256'): GitHubKey {
  return { id, ...generateKeyPairSync('ec', { namedCurve }) };
}

/** The headers with which GitHub signs `body`. */
export function signedByGitHub({ id, privateKey }: GitHubKey, body: string | Uint8Array): Record<string, string> {
  const signature = sign('sha256', Buffer.from(body), privateKey).toString('base64');
  return { 'Github-Public-Key-Identifier': id, 'Github-Public-Key-Signature': signature };
}

/** The keys as GitHub publishes them. */
export function gitHubKeysText(keys: readonly GitHubKey[]): string {
  const list = keys.map(({ id, publicKey }) => ({
    key_identifier: id,
    key: publicKey.export({ type: 'spki', format: 'pem' }),
    is_current: true,
  }));
  return JSON.stringify({ public_keys: list });
}

/** Writes a file of GitHub's public keys, whose URL is the setting `githubKeysUrl`. The file is gone when the test ends. */
export async function gitHubKeysFile(...keys: GitHubKey[]) {
  const folder = await mkdtemp(join(tmpdir(), 'latchkey-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'keys.json');
  async function publish(...published: GitHubKey[]): Promise<void> {
    await writeFile(file, gitHubKeysText(published));
  }
  await publish(...keys);
  return { url: pathToFileURL(file).href, publish, unpublish: () => rm(file) };
}
