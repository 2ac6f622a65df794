import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';

// A file system of one process's own: it needs no right on this machine but to make a user namespace, binds root as
// well, and is gone with the process.

const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount'];

/** A prefix that runs a command after `script`, a shell's, in which `$0` is `folder`. */
export function mounting(script: string, folder: string): string[] {
  return [...UNSHARE, 'sh', '-c', `${script} && exec "$@"`, folder];
}

export const READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"';
export const SMALL = 'mount -t tmpfs -o size=24m tmpfs "$0"';

/** A prefix, to follow that of `mounting`, that runs a command as a user who is not root there. PostgreSQL wants that. */
export const NOT_ROOT = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];

/** Whether this machine lets a test do so. */
export const canMount = succeeds(mounting('mount -t tmpfs tmpfs "$0"', tmpdir()));

export const canMountWithoutRoot = canMount && succeeds([...mounting('true', tmpdir()), ...NOT_ROOT]);

function succeeds([command = '', ...args]: string[]): boolean {
  try {
    execFileSync(command, [...args, 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
