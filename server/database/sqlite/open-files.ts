import { readdirSync, statSync } from 'node:fs';

/**
 * Whether a process has the file at `path` open. Sees only processes of the same user, and only on Linux; otherwise
 * returns false.
 */
export function isOpen(path: string): boolean {
  const { dev, ino } = statSync(path);
  return entriesOf('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((process) => entriesOf(`/proc/${process}/fd`).map((descriptor) => `/proc/${process}/fd/${descriptor}`))
    .some((descriptor) => {
      const opened = statOf(descriptor);
      return opened?.dev === dev && opened.ino === ino;
    });
}

/**
 * The names in `folder`. Empty if the folder cannot be read: its process has ended or belongs to another user, or the
 * system has no such folder.
 */
function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function statOf(path: string): { dev: number; ino: number } | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
