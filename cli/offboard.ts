import type { Command } from 'commander';
import type { Offboarded } from '../server/index.js';
import { Rejected, WrongUse } from './failure.js';
import { ask, canAsk } from './terminal.js';
import { type DatabaseFlag, databaseCommand, say, withUsers } from './user-store.js';

interface OffboardFlags extends DatabaseFlag {
  to?: string;
  revoke?: boolean;
  cutScopes?: boolean;
  dryRun?: boolean;
  force?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** Adds `latchkey users offboard`. */
export function addOffboard(users: Command): void {
  databaseCommand(
    users,
    'offboard <user>',
    'Disable a user, end their sessions, and revoke their tokens or give them to another user.',
  )
    .option('--revoke', 'revoke the tokens')
    .option('--to <user>', 'give the tokens to this user or service, by e-mail, name or id; they stay valid')
    .option('--cut-scopes', 'remove the scopes that the new owner may not have')
    .option('--dry-run', 'only tell what would happen')
    .option('--force', 'offboard the last administrator too')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print JSON, for programs')
    .addHelpText('after', '\nExamples:\n  latchkey users offboard ada@example.org --to "deploy jobs" --dry-run')
    .action(async (user: string, flags: OffboardFlags) => {
      if ((flags.revoke === true) === (flags.to !== undefined)) throw new WrongUse('use either --revoke or --to');
      await withUsers(flags, async (store) => {
        const wish = { to: flags.to ?? null, cutScopes: flags.cutScopes === true, force: flags.force === true };
        const offboard = async (dryRun: boolean) => {
          try {
            return await store.offboard(user, { ...wish, dryRun });
          } catch (error) {
            if (!(error instanceof Error && 'code' in error)) throw error;
            if (error.code !== 'last_admin') throw new Rejected(error.message.replace(/\.$/, ''));
            throw new Rejected(`${user} is the last enabled administrator: use --force to offboard them anyway`);
          }
        };
        if (flags.dryRun !== true && flags.yes !== true) {
          if (!canAsk()) throw new WrongUse('this disables the user: use --yes, or --dry-run to see what would happen');
          const reply = await ask(`offboard ${user}, with ${described(await offboard(true))}? [y/N] `, '');
          if (!/^y(es)?$/i.test(reply.trim())) throw new Rejected('nothing was changed');
        }
        const done = await offboard(flags.dryRun === true);
        if (flags.json === true) {
          const { toJson } = await import('./output/text.js');
          const { sessions: sessionCount, revoked: revokedCount, transferred: transferredCount, cut: cutCount } = done;
          const { unmanaged: unmanagedCount } = done;
          const counts = { sessionCount, revokedCount, transferredCount, cutCount, unmanagedCount };
          say(toJson({ ...counts, dryRun: flags.dryRun === true }));
          return;
        }
        say(`${flags.dryRun === true ? 'would offboard' : 'offboarded'} ${user}: ${described(done)}`);
      });
    });
}

function described({ sessions, revoked, transferred, cut, unmanaged }: Offboarded): string {
  return [
    counted(sessions, 'session ended', 'sessions ended'),
    ...(transferred > 0 ? [counted(transferred, 'token moved', 'tokens moved')] : []),
    ...(transferred === 0 ? [counted(revoked, 'token revoked', 'tokens revoked')] : []),
    ...(cut > 0 ? [`${String(cut)} of them without some scopes`] : []),
    ...(unmanaged > 0 ? [counted(unmanaged, 'service without a manager', 'services without a manager')] : []),
  ].join(', ');
}

function counted(count: number, one: string, several: string): string {
  return `${String(count)} ${count === 1 ? one : several}`;
}
