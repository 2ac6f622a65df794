import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { text } from 'node:stream/consumers';

export interface RunningGit {
  child: ChildProcessWithoutNullStreams;
  /** Resolves with its messages when it has ended with code 0, and rejects with a `GitFailure` otherwise. */
  ended: Promise<string>;
}

/** A command of git that failed; the first line of what it said. */
export class GitFailure extends Error {
  override name = 'GitFailure';

  constructor(
    message: string,
    /** All that it said. */
    readonly messages: string,
  ) {
    super(message);
  }
}

/**
 * Starts a plumbing command of git, which reads objects and runs nothing: no hook, pager, filter or transport, whatever the
 * repository's own configuration says. `folder` is where git looks for the repository; it refuses one that belongs to
 * another user.
 */
export function startGit(folder: string, args: string[]): RunningGit {
  const plain = ['--no-pager', '--no-replace-objects', '-c', 'advice.graftFileDeprecated=false'];
  const child = spawn('git', [...plain, ...args], {
    cwd: folder,
    // Grafts are left out as replacements are: they would hide parents that are there, or should be.
    env: {
      ...ownEnvironment(),
      ...{ LC_ALL: 'C', GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1', GIT_GRAFT_FILE: devNull },
    },
    stdio: 'pipe',
  });
  // Where it ends early, what it is still written to says nothing that its exit code does not.
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
        ? new Error('git is not installed, which reads the history')
        : error;
    },
  );
  ended.catch(() => undefined);
  return { child, ended };
}

/** What a git command prints. Rejects with what it says where it fails. */
export async function runGit(folder: string, args: string[]): Promise<string> {
  const { child, ended } = startGit(folder, args);
  child.stdin.end();
  const [output] = await Promise.all([text(child.stdout), ended]);
  return output;
}

/** Without what a hook of another repository, say, is told of that one. */
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
