import { type Dirent, readdirSync } from 'node:fs';
import { sep } from 'node:path';

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
    entries.sort((a, b) => Buffer.compare(a.name, b.name));
    const isRepository = isGitDirectory(entries);
    if (isRepository) found.repositories.push(path);
    const below: Buffer[] = [];
    for (const entry of entries) {
      const entryPath = path.equals(HERE) ? entry.name : Buffer.concat([path, SEPARATOR, entry.name]);
      if (entry.isFile()) found.files.push(entryPath);
      else if (entry.isDirectory() && !(isRepository && entry.name.equals(OBJECTS))) below.push(entryPath);
    }
    folders.push(...below.reverse());
  }
  return found;
}

/** As git itself tells. */
function isGitDirectory(entries: Dirent<Buffer>[]): boolean {
  const has = (name: string) => entries.some((entry) => entry.name.equals(Buffer.from(name)));
  return has('objects') && has('refs') && has('HEAD');
}
