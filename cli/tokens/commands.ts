import { type Command, Option } from 'commander';
import { addPair, addRemoteFlags, collect, days, positiveInteger, seconds } from '../account/flags.js';
import type { CreateFlags } from './create.js';
import type { EditFlags } from './edit.js';
import type { ListFlags } from './list.js';
import type { RevokeFlags } from './revoke.js';
import type { RotateFlags } from './rotate.js';
import type { ShowFlags } from './show.js';
import type { VerifyFlags } from './verify.js';

const TOKEN = 'its id or the start of it, the 12 characters that it begins with, its name, or "current"';

export function addTokens(program: Command): void {
  const tokens = program.command('tokens').description('Create, list, show, rotate, edit, revoke and verify tokens.');
  addCreate(tokens);
  addList(tokens);
  addShow(tokens);
  addRotate(tokens);
  addEdit(tokens);
  addRevoke(tokens);
  addVerify(tokens);
}

function addCreate(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('create')
      .description('Create a token. The token itself, and nothing else, is on standard output: it is shown this once.')
      .argument('<name>', 'what it is called')
      .option('--expires-in <duration>', 'lifetime, such as 90d, 2w or never (as the service is configured)', days)
      .option('--description <text>', 'what it is for')
      .option('--metadata <name=value>', 'something for your programs; may be repeated', addPair)
      .option('-q, --quiet', 'say nothing on standard error'),
  )
    .addHelpText(
      'after',
      examples('tokens create "deploy bot" --expires-in 90d', 'TOKEN=$(latchkey tokens create ci --quiet)'),
    )
    .action(async (name: string, flags: CreateFlags) => {
      const { createToken } = await import('./create.js');
      await createToken(name, flags);
    });
}

function addList(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('list')
      .description('List tokens, newest first; without a terminal as lines of tabs, exact and without titles.')
      .addOption(new Option('--type <type>', 'what to list').choices(['pat', 'session', 'all']).default('pat'))
      .option('--all', 'revoked ones too')
      .option('--limit <number>', 'at most so many', positiveInteger)
      .option('--wide', 'ids and exact times, whatever the width of the terminal'),
  )
    .addHelpText(
      'after',
      `
Columns without a terminal and with --wide: id, name, prefix, type, state, expiry, last use, creation.
${examples('tokens list', 'tokens list --all --wide', "tokens list --json | jq -r '.[].name'")}`,
    )
    .action(async (flags: ListFlags) => {
      const { listTokens } = await import('./list.js');
      await listTokens(flags);
    });
}

function addShow(tokens: Command): void {
  addRemoteFlags(tokens.command('show').description('Show a token.').argument('<token>', TOKEN))
    .addHelpText(
      'after',
      examples('tokens show "deploy bot"', 'tokens show lk_pat_4fGq1', 'tokens show current --json'),
    )
    .action(async (selector: string, flags: ShowFlags) => {
      const { showToken } = await import('./show.js');
      await showToken(selector, flags);
    });
}

function addRotate(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('rotate')
      .description('Give a token a new secret, which is on standard output, and nothing else; it is shown this once.')
      .argument('<token>', TOKEN)
      .option('--grace <duration>', 'how long the earlier secret still serves, up to 7d (0s)', seconds)
      .option('--expires-in <duration>', 'new lifetime, such as 90d, 2w or never', days)
      .option('-q, --quiet', 'say nothing on standard error'),
  )
    .addHelpText('after', examples('tokens rotate "deploy bot" --grace 24h'))
    .action(async (selector: string, flags: RotateFlags) => {
      const { rotateToken } = await import('./rotate.js');
      await rotateToken(selector, flags);
    });
}

function addEdit(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('edit')
      .description('Change a token. Nothing happens where somebody else has changed it in the meantime.')
      .argument('<token>', TOKEN)
      .option('--name <name>', 'what it is called')
      .option('--description <text>', 'what it is for; empty for none')
      .option('--metadata <name=value>', 'set one of its metadata; may be repeated', addPair)
      .option('--unset-metadata <name>', 'remove one of its metadata; may be repeated', collect)
      .option('--expires-in <duration>', 'lifetime from now on, such as 90d, 2w or never', days)
      .addOption(new Option('--disable', 'stop it until it is enabled again').conflicts('enable'))
      .option('--enable', 'let it serve again'),
  )
    .addHelpText(
      'after',
      examples('tokens edit ci --name "ci of main" --metadata team=platform', 'tokens edit ci --disable'),
    )
    .action(async (selector: string, flags: EditFlags) => {
      const { editToken } = await import('./edit.js');
      await editToken(selector, flags);
    });
}

function addRevoke(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('revoke')
      .description('Revoke tokens: from then on they open nothing, for good.')
      .argument('<token...>', TOKEN)
      .option('-y, --yes', 'do not ask, where there are several'),
  )
    .addHelpText('after', examples('tokens revoke "deploy bot"', 'tokens revoke lk_pat_4fGq1 lk_pat_9bTy3 --yes'))
    .action(async (selectors: string[], flags: RevokeFlags) => {
      const { revokeTokens } = await import('./revoke.js');
      await revokeTokens(selectors, flags);
    });
}

function addVerify(tokens: Command): void {
  addRemoteFlags(
    tokens
      .command('verify')
      .description('Tell whether a token, from standard input or typed unseen, may pass.')
      .option('--scope <scope>', 'what it must be allowed to do; may be repeated', collect)
      .option('-q, --quiet', 'say nothing: the exit code tells'),
  )
    .addHelpText(
      'after',
      `
Exit codes: 0 it may pass, 1 it may not, 2 the service could not be asked.
${examples('tokens verify < token.txt', 'tokens verify --quiet --scope read:reports < token.txt && echo welcome')}`,
    )
    .action(async (flags: VerifyFlags) => {
      const { verifyToken } = await import('./verify.js');
      await verifyToken(flags);
    });
}

function examples(...commands: string[]): string {
  const lines = commands.map((command) => (command.includes('latchkey') ? command : `latchkey ${command}`));
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
