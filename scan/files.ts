import { type Dirent, readdirSync } from 'node:fs';
import { basename, resolve, sep } from 'node:path';

const SEPARATOR = Buffer.from(sep);
const HERE = Buffer.from('.');
const OBJECTS = Buffer.from('objects');

/** Files below a folder. Paths are bytes, because a file name need not be valid UTF-8. */
export interface FoundFiles {
  files: Buffer[];
  /** Git directories: `.git`, those of submodules, and bare repositories. */
  repositories: Buffer[];
  unreadable: { path: Buffer; error: unknown }[];
}

/**
 * Lists the files below `folder`, ordered by name. Symbolic links are not followed: their targets are either below `folder`
 * too, or outside the scan. Git objects are left out, because `scanHistory` reads them.
 */
export function listFiles(folder: Buffer): FoundFiles {
  const found: FoundFiles = { files: [], repositories: [], unreadable: [] };
  const folders = [folder];
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    let entries: Dirent<Buffer>[];
    try {
      entries = readdirSync(path, { withFileTypes: true, encoding: 'buffer' });
    } catch (error) {
      found.unreadable.push({ path, error });
      continue;
    }
    // In reverse order, because folders are taken from the end of the list.
    entries.sort((a, b) => Buffer.compare(b.name, a.name));
    const isRepository = isGitDirectory(path, entries);
    if (isRepository) found.repositories.push(path);
    const files: Buffer[] = [];
    for (const entry of entries) {
      if (entry.isFile()) files.push(join(path, entry.name));
      else if (entry.isDirectory() && !isLeftOut(path, entry.name, isRepository)) folders.push(join(path, entry.name));
    }
    for (const file of files.reverse()) found.files.push(file);
  }
  return found;
}

/** Leaves out git objects, and the system's virtual folders `/proc`, `/sys` and `/dev`. */
function isLeftOut(folder: Buffer, name: Buffer, isRepository: boolean): boolean {
  if (isRepository && name.equals(OBJECTS)) return true;
  return /^(proc|sys|dev)$/.test(name.toString()) && resolve(folder.toString()) === '/';
}

/** Joins two paths, without `./` for the current folder. */
function join(folder: Buffer, name: Buffer): Buffer {
  if (folder.equals(HERE)) return name;
  return Buffer.concat(folder.at(-1) === SEPARATOR[0] ? [folder, name] : [folder, SEPARATOR, name]);
}

/** Uses git's own rule, but also accepts a damaged `.git`, so that git then reports the damage. */
function isGitDirectory(path: Buffer, entries: Dirent<Buffer>[]): boolean {
  const has = (name: string) => entries.some((entry) => entry.name.equals(Buffer.from(name)));
  return has('objects') && ((has('refs') && has('HEAD')) || basename(path.toString()) === '.git');
}
