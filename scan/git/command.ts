import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { text } from 'node:stream/consumers';

export interface RunningGit {
  child: ChildProcessWithoutNullStreams;
  /** Resolves with standard error if git ends with code 0, and rejects with a `GitFailure` otherwise. */
  ended: Promise<string>;
}

/** A git command failed. The message is the first line of its standard error. */
export class GitFailure extends Error {
  override name = 'GitFailure';

  constructor(
    message: string,
    /** The whole standard error. */
    readonly messages: string,
  ) {
    super(message);
  }
}

/**
 * Starts a git command that only reads objects. Whatever the repository's configuration says, it runs no hook, pager, filter
 * or transport. Git looks for the repository in `folder` and rejects one that belongs to another user.
 */
export function startGit(folder: string, args: string[]): RunningGit {
  const plain = ['--no-pager', '--no-replace-objects', '-c', 'advice.graftFileDeprecated=false'];
  const child = spawn('git', [...plain, ...args], {
    cwd: folder,
    // Grafts and replacements are ignored, because they would hide parent commits.
    env: {
      ...ownEnvironment(),
      ...{ LC_ALL: 'C', GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_GRAFT_FILE: devNull },
    },
    stdio: 'pipe',
  });
  // If git ends early, its exit code tells more than the failed write.
  child.stdin.on('error', () => undefined);
  const message = text(child.stderr);
  const ended = once(child, 'close').then(
    async ([code]) => {
      const messages = await message;
      if (code !== 0) throw new GitFailure(explain(messages, args), messages);
      return messages;
    },
    (error: unknown) => {
      throw error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? new Error('git is not installed, but reading the history needs it')
        : error;
    },
  );
  ended.catch(() => undefined);
  return { child, ended };
}

/** Runs a git command and resolves with its output. Rejects with a `GitFailure` if it fails. */
export async function runGit(folder: string, args: string[]): Promise<string> {
  const { child, ended } = startGit(folder, args);
  child.stdin.end();
  const [output] = await Promise.all([text(child.stdout), ended]);
  return output;
}

/** The environment without git's variables, which point to another repository if the scan runs in a hook. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.filter(([name]) => !name.startsWith('GIT_') || name.startsWith('GIT_CONFIG')));
}

function explain(message: string, [command]: string[]): string {
  const [, owned] = /detected dubious ownership in repository at '(.*)'/.exec(message) ?? [];
  if (owned !== undefined) {
    return `git does not read a repository of another user; if you trust it: git config --global --add safe.directory '${owned}'`;
  }
  const [line = ''] = message.trim().split('\n');
  return line === '' ? `git ${command ?? ''} failed` : line.replace(/^fatal: /, 'git: ');
}
