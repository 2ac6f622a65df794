import { readdirSync, statSync } from 'node:fs';

/** Whether a process has the file at `path` open, as far as this system tells: Linux does, of processes of the same user. */
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

/** Empty where it cannot be read: a process that is gone or another user's, or a system without such a folder. */
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
