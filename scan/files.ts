import { type Dirent, readdirSync } from 'node:fs';
import { basename, resolve, sep } from 'node:path';

const SEPARATOR = Buffer.from(sep);
const HERE = Buffer.from('.');
const OBJECTS = Buffer.from('objects');

/** Paths are bytes, since a file name need not be valid UTF-8. */
export interface FoundFiles {
  files: Buffer[];
  /** The git directories among the folders: `.git`, those of submodules, and bare repositories. */
  repositories: Buffer[];
  unreadable: { path: Buffer; error: unknown }[];
}

/**
 * The files below `folder`, in the order of their names. Symbolic links are not followed: what they lead to is either below
 * `folder` itself or none of its business. The objects of git are left out, which `scanHistory` reads.
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
    // Backwards, since the folders among them are taken from the end.
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

/** Git's objects, and below `/` what is no file but the system's own view of itself. */
function isLeftOut(folder: Buffer, name: Buffer, isRepository: boolean): boolean {
  if (isRepository && name.equals(OBJECTS)) return true;
  return /^(proc|sys|dev)$/.test(name.toString()) && resolve(folder.toString()) === '/';
}

/** A path in the current folder has no dot before it. */
function join(folder: Buffer, name: Buffer): Buffer {
  if (folder.equals(HERE)) return name;
  return Buffer.concat(folder.at(-1) === SEPARATOR[0] ? [folder, name] : [folder, SEPARATOR, name]);
}

/** As git itself tells; and one that has lost a part, so that git gets to refuse it. */
function isGitDirectory(path: Buffer, entries: Dirent<Buffer>[]): boolean {
  const has = (name: string) => entries.some((entry) => entry.name.equals(Buffer.from(name)));
  return has('objects') && ((has('refs') && has('HEAD')) || basename(path.toString()) === '.git');
}
