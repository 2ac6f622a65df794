import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { WrongUse } from '../failure.js';
import { note } from '../output/print.js';
import { variable } from '../variables.js';
import { withLock } from './lock.js';

/** A stored login. Each profile has its own file, so that logins do not interfere. */
export interface Profile {
  url: string;
  /** Whether `url` may be plain http to another machine. */
  insecureHttp: boolean;
  email: string;
  tokenId: string;
  /** Plaintext of the token that is sent. */
  token: string;
  /** Null for a personal access token, which cannot be refreshed. */
  refreshToken: string | null;
}

const EXTENSION = '.json';
const IS_WINDOWS = process.platform === 'win32';

/** The name of the profile to use. Throws `WrongUse` for a name that cannot be a file name on every system. */
export function profileName(flag: string | undefined): string {
  const name = flag ?? variable('LATCHKEY_PROFILE') ?? 'default';
  if (!/^[a-z0-9][a-z0-9_-]{0,63}$/.test(name)) {
    const source = flag === undefined ? 'LATCHKEY_PROFILE' : '--profile';
    throw new WrongUse(`${source} must be 1 to 64 lower-case letters, digits, _ and -, a letter or digit first`);
  }
  return name;
}

/**
 * Reads a profile; undefined if it does not exist. If other users can read the file, this takes their permission away and
 * prints a warning.
 */
export async function readProfile(name: string): Promise<Profile | undefined> {
  const path = pathOf(name);
  const text = await ifThere(async () => {
    await keepPrivate(path);
    return await readFile(path, 'utf8');
  });
  if (text === undefined) return undefined;
  try {
    return checked(JSON.parse(text));
  } catch {
    throw new WrongUse(`${path} is not a profile of this version: remove it and log in again`);
  }
}

/**
 * Replaces a profile by the result of `change`, or removes it if that is undefined. No other command can change the profile
 * meanwhile. The replacement is atomic for readers.
 */
export async function changeProfile(
  name: string,
  change: (kept: Profile | undefined) => Promise<Profile | undefined>,
): Promise<void> {
  const folder = folderOfProfiles();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (!IS_WINDOWS) await chmod(folder, 0o700);
  await withLock(join(folder, `.${name}.lock`), async () => {
    const kept = await readProfile(name);
    const changed = await change(kept);
    if (changed === undefined) await rm(pathOf(name), { force: true });
    else if (changed !== kept) await replaceFile(pathOf(name), `${JSON.stringify(changed, null, 2)}\n`);
  });
}

export async function listProfiles(): Promise<string[]> {
  const files = (await ifThere(() => readdir(folderOfProfiles()))) ?? [];
  return files
    .filter((file) => !file.startsWith('.') && file.endsWith(EXTENSION))
    .map((file) => file.slice(0, -EXTENSION.length))
    .sort();
}

function pathOf(name: string): string {
  return join(folderOfProfiles(), name + EXTENSION);
}

/** Folder of the profiles: in `LATCHKEY_CONFIG`, or in the user's settings by the XDG Base Directory Specification or Windows. */
function folderOfProfiles(): string {
  const own = variable('LATCHKEY_CONFIG');
  if (own !== undefined) return join(own, 'profiles');
  const xdg = process.env['XDG_CONFIG_HOME'] ?? '';
  const windows = IS_WINDOWS ? process.env['APPDATA'] : undefined;
  return join(isAbsolute(xdg) ? xdg : (windows ?? join(homedir(), '.config')), 'latchkey', 'profiles');
}

async function replaceFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

async function keepPrivate(path: string): Promise<void> {
  if (IS_WINDOWS) return;
  const { mode, uid } = await stat(path);
  if (uid !== process.getuid?.())
    throw new WrongUse(`${path} belongs to another user and is not read: use your own folder, see LATCHKEY_CONFIG`);
  if ((mode & 0o077) === 0) return;
  await chmod(path, 0o600);
  note(`latchkey: others could read ${path}; now they cannot. Log out and in again if they may have read the token.`);
}

function checked(value: unknown): Profile {
  const { url, insecureHttp, email, tokenId, token, refreshToken } = value as Profile;
  const texts = [url, email, tokenId, token, refreshToken ?? ''].every((one) => typeof one === 'string');
  if (!texts || typeof insecureHttp !== 'boolean') throw new TypeError('no profile');
  return { url, insecureHttp, email, tokenId, token, refreshToken };
}

async function ifThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
