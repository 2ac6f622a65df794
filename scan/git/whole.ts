import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GitFailure, runGit, startGit } from './command.js';

/**
 * Rejects where objects are not here that the repository refers to, by its branches, tags, logs, index and work trees:
 * a blob or a pack that is gone, a base of a shared clone that has moved. What git promises to fetch later is no such.
 * `onWarning` hears of files among the objects that git does not know.
 */
export async function assertWhole(repository: string, onWarning: (message: string) => void): Promise<void> {
  const counted = await messagesOf(repository, ['count-objects', '-v']);
  const strange = linesOf(counted.messages).flatMap((line) => /^warning: (.*)/.exec(line)?.[1] ?? []);
  const halves = strange.filter((line) => line.startsWith('no corresponding '));
  for (const line of strange) if (!halves.includes(line)) onWarning(`${line}, and not read`);
  const { output, messages, error } = await messagesOf(repository, [
    // Checking an index over the objects is not what is asked for here.
    ...['-c', 'core.commitGraph=false', 'fsck', '--connectivity-only', '--no-dangling', '--no-progress'],
  ]);
  const missing = linesOf(output).filter((line) => line.startsWith('missing ')).length;
  const reasons = [
    ...halves,
    ...linesOf(messages).filter((line) => /^error: (unable to normalize alternate|object directory)/.test(line)),
    ...(missing === 0 ? [] : [`${String(missing)} missing ${missing === 1 ? 'object' : 'objects'}`]),
  ];
  const [reason = error?.message] = reasons;
  if (reason !== undefined) throw new Error(`the history is not whole: ${reason.replace(/^error: /, '')}`);
}

/** Whether objects are left with another repository, from which git would fetch them. */
export async function lacksPromised(repository: string): Promise<boolean> {
  if (!hasPromisedPack(repository) && !(await hasPromisor(repository))) return false;
  const walk = ['rev-list', '--objects', '--quiet', '--missing=print', '--all', '--reflog', '--indexed-objects'];
  return await runGit(repository, walk).then(
    (missing) => missing !== '',
    () => true,
  );
}

/** Whether git marked a pack as one that lacks objects. */
function hasPromisedPack(repository: string): boolean {
  const packs = join(repository, 'objects/pack');
  return existsSync(packs) && readdirSync(packs).some((name) => name.endsWith('.promisor'));
}

async function hasPromisor(repository: string): Promise<boolean> {
  // It fails where there is none.
  return await runGit(repository, ['config', '--get-regexp', '^remote\\..*\\.promisor$']).then(
    (found) => /\strue$/im.test(found),
    () => false,
  );
}

async function messagesOf(repository: string, args: string[]) {
  const { child, ended } = startGit(repository, args);
  child.stdin.end();
  const [output, ending] = await Promise.all([
    text(child.stdout),
    ended.then(
      (messages) => ({ messages, error: undefined }),
      (error: unknown) => ({ messages: error instanceof GitFailure ? error.messages : '', error: error as Error }),
    ),
  ]);
  return { output, ...ending };
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line !== '');
}
