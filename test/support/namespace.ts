import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';

// A file system for one process only. Making it needs only the right to make a user namespace. Its limits apply to root
// too, and it is gone when the process ends.

const UNSHARE = ['unshare', '--user', '--map-root-user', '--mount'];

/** A prefix that runs the shell script `script`, in which `$0` is `folder`, and then a command. */
export function mounting(script: string, folder: string): string[] {
  return [...UNSHARE, 'sh', '-c', `${script} && exec "$@"`, folder];
}

export const READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"';
export const SMALL = 'mount -t tmpfs -o size=24m tmpfs "$0"';

/** A prefix, behind that of `mounting`, that runs a command as a user other than root, as PostgreSQL requires. */
export const NOT_ROOT = ['unshare', '--user', '--map-user=1000', '--map-group=1000'];

/** Whether this machine allows `mounting`. */
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
