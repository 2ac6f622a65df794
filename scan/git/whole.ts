import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { GitFailure, runGit, startGit } from './command.js';

/**
 * Rejects if objects are missing that branches, tags, logs, the index or work trees refer to: for example because a pack was
 * deleted, or the base of a shared clone was moved. Objects that git would fetch later (a partial clone) do not count.
 * `onWarning` gets the files among the objects that git does not know.
 */
export async function assertWhole(repository: string, onWarning: (message: string) => void): Promise<void> {
  const counted = await messagesOf(repository, ['count-objects', '-v']);
  const strange = linesOf(counted.messages).flatMap((line) => /^warning: (.*)/.exec(line)?.[1] ?? []);
  const halves = strange.filter((line) => line.startsWith('no corresponding '));
  for (const line of strange) if (!halves.includes(line)) onWarning(`${line}, and not read`);
  const { output, messages, error } = await messagesOf(repository, [
    // The commit graph is an index over the objects and is not checked here.
    ...['-c', 'core.commitGraph=false', 'fsck', '--connectivity-only', '--no-dangling', '--no-progress'],
  ]);
  const missing = linesOf(output).filter((line) => line.startsWith('missing ')).length;
  const reasons = [
    ...halves,
    ...linesOf(messages).filter((line) => /^error: (unable to normalize alternate|object directory)/.test(line)),
    ...(missing === 0 ? [] : [`${String(missing)} missing ${missing === 1 ? 'object' : 'objects'}`]),
  ];
  const [reason = error?.message] = reasons;
  if (reason !== undefined) throw new Error(`the history is incomplete: ${reason.replace(/^error: /, '')}`);
}

/** Whether objects are missing that git would fetch from another repository when needed (a partial clone). */
export async function lacksPromised(repository: string): Promise<boolean> {
  if (!hasPromisedPack(repository) && !(await hasPromisor(repository))) return false;
  const walk = ['rev-list', '--objects', '--quiet', '--missing=print', '--all', '--reflog', '--indexed-objects'];
  return await runGit(repository, walk).then(
    (missing) => missing !== '',
    () => true,
  );
}

/** Whether git has marked a pack as one whose objects may refer to missing ones. */
function hasPromisedPack(repository: string): boolean {
  const packs = join(repository, 'objects/pack');
  return existsSync(packs) && readdirSync(packs).some((name) => name.endsWith('.promisor'));
}

async function hasPromisor(repository: string): Promise<boolean> {
  // The command fails if no setting matches.
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
