import { type Command, Option } from 'commander';
import { addPair, addRemoteFlags, collect, instant, lifetime, positiveInteger, seconds } from '../account/flags.js';
import type { CreateFlags } from './create.js';
import type { EditFlags } from './edit.js';
import { scopeList } from './grant.js';
import type { ListFlags } from './list.js';
import type { RevokeFlags } from './revoke.js';
import type { RotateFlags } from './rotate.js';
import type { ShowFlags } from './show.js';
import type { TransferFlags } from './transfer.js';
import type { VerifyFlags } from './verify.js';

const TOKEN = 'its id or the start of the id, its prefix of 12 characters, its name, or "current"';
const LIFETIME = '--expires-in <duration|date>';
const STATES = ['active', 'expiring', 'expired', 'revoked', 'disabled'];
const SORTS = ['createdAt', '-createdAt', 'name', '-name', 'expiresAt', '-expiresAt', 'lastUsedAt', '-lastUsedAt'];

export function addTokens(program: Command): void {
  const tokens = program
    .command('tokens')
    .description('Create, list, show, rotate, edit, revoke, transfer and verify tokens.');
  addCreate(tokens);
  addList(tokens);
  addShow(tokens);
  addRotate(tokens);
  addEdit(tokens);
  addRevoke(tokens);
  addTransfer(tokens);
  addVerify(tokens);
}

function addCreate(tokens: Command): void {
  const command = tokens
    .command('create')
    .description('Create a token. Standard output is only the token itself, which is shown only once.')
    .argument('<name>', 'its name')
    .option(LIFETIME, 'such as 90d, 2w, 2027-12-31 or never (asked for on a terminal, else 90d)', lifetime)
    .option('--description <text>', 'its description')
    .option('--metadata <name=value>', 'data for your programs; may be repeated', addPair)
    .option(
      '--scope <scope>',
      'a scope; may be repeated (asked for on a terminal, else tokens:read, or none for another owner)',
      collect,
    )
    .addOption(
      new Option('--scopes <all|list>', 'scopes separated by commas, or all of yours without those of administrators')
        .argParser(scopeList)
        .conflicts('scope'),
    )
    .option('--no-scope', 'no scopes: the token can only show and revoke itself')
    .option('-q, --quiet', 'print nothing on standard error');
  addExamples(
    addRemoteFlags(addOwnerFlags(command)),
    'latchkey tokens create "deploy bot" --expires-in 90d --scope deployments:write',
    'TOKEN=$(latchkey tokens create ci --quiet)',
  ).action(async (name: string, flags: CreateFlags) => {
    const { createToken } = await import('./create.js');
    await createToken(name, flags);
  });
}

function addList(tokens: Command): void {
  const command = tokens
    .command('list')
    .alias('ls')
    .description('List tokens. Without a terminal: lines separated by tabs, with exact times and without titles.')
    .option('--all', 'include revoked tokens')
    .addOption(new Option('--sort <field>', 'order, descending with a leading minus (-createdAt)').choices(SORTS))
    .option('--limit <number>', 'most tokens to list', positiveInteger)
    .option('--wide', 'all columns, with exact times and uncut; on several lines if the terminal is narrow');
  addExamples(
    addRemoteFlags(addOwnerFlags(addFilterFlags(command))),
    'latchkey tokens list --state expiring --sort expiresAt',
    'latchkey tokens list --never-used --created-before -90d',
    "latchkey tokens list --json | jq -r '.[].name'",
  )
    .addHelpText(
      'after',
      '\nColumns with --wide and without a terminal: id, name, prefix, type, state, expiry, last use, creation, scopes.',
    )
    .action(async (flags: ListFlags) => {
      const { listTokens } = await import('./list.js');
      await listTokens(flags);
    });
}

function addShow(tokens: Command): void {
  const command = tokens.command('show').description('Show a token.').argument('<token>', TOKEN);
  addExamples(
    addRemoteFlags(addOwnerFlags(command)),
    'latchkey tokens show "deploy bot"',
    'latchkey tokens show lk_pat_4fGq1',
    'latchkey tokens show current --json',
  ).action(async (selector: string, flags: ShowFlags) => {
    const { showToken } = await import('./show.js');
    await showToken(selector, flags);
  });
}

function addRotate(tokens: Command): void {
  const command = tokens
    .command('rotate')
    .description('Give a token a new secret. Standard output is only the secret, which is shown only once.')
    .argument('<token>', TOKEN)
    .option('--grace <duration>', 'how long the earlier secret stays valid, up to 7d (0s)', seconds)
    .option(LIFETIME, 'a new lifetime, such as 90d, 2w, 2027-12-31 or never', lifetime)
    .option('-q, --quiet', 'print nothing on standard error');
  addExamples(addRemoteFlags(addOwnerFlags(command)), 'latchkey tokens rotate "deploy bot" --grace 24h').action(
    async (selector: string, flags: RotateFlags) => {
      const { rotateToken } = await import('./rotate.js');
      await rotateToken(selector, flags);
    },
  );
}

function addEdit(tokens: Command): void {
  const command = tokens
    .command('edit')
    .description('Change a token. Nothing is changed if somebody else changes it at the same time.')
    .argument('<token>', TOKEN)
    .option('--name <name>', 'a new name')
    .option('--description <text>', 'a new description; empty to remove it')
    .option('--metadata <name=value>', 'set a metadata entry; may be repeated', addPair)
    .option('--unset-metadata <name>', 'remove a metadata entry; may be repeated', collect)
    .option('--scope <scope>', 'a scope, which replaces all earlier ones; may be repeated', collect)
    .option('--no-scope', 'no scopes: the token can only show and revoke itself')
    .option(LIFETIME, 'a new lifetime from now, such as 90d, 2w, 2027-12-31 or never', lifetime)
    .addOption(new Option('--disable', 'make it invalid until it is enabled again').conflicts('enable'))
    .option('--enable', 'make it valid again');
  addExamples(
    addRemoteFlags(addOwnerFlags(command)),
    'latchkey tokens edit ci --name "ci of main" --metadata team=platform',
    'latchkey tokens edit ci --disable',
  ).action(async (selector: string, flags: EditFlags) => {
    const { editToken } = await import('./edit.js');
    await editToken(selector, flags);
  });
}

function addRevoke(tokens: Command): void {
  const command = tokens
    .command('revoke')
    .alias('rm')
    .description('Revoke tokens: those that you name, or all that match the filters. This cannot be undone.')
    .argument('[token...]', TOKEN)
    .option('--dry-run', 'only list the tokens that would be revoked')
    .option('-y, --yes', 'do not ask before several tokens are revoked');
  addExamples(
    addRemoteFlags(addOwnerFlags(addFilterFlags(command))),
    'latchkey tokens revoke "deploy bot"',
    'latchkey tokens revoke lk_pat_4fGq1 lk_pat_9bTy3 --yes',
    'latchkey tokens revoke --never-used --created-before -180d --dry-run',
  )
    .addHelpText('after', '\nThe token in use is revoked only if you name it, never by filters.')
    .action(async (selectors: string[], flags: RevokeFlags) => {
      const { revokeTokens } = await import('./revoke.js');
      await revokeTokens(selectors, flags);
    });
}

function addTransfer(tokens: Command): void {
  const command = tokens
    .command('transfer')
    .alias('mv')
    .description(
      'Give tokens to another owner: those that you name, or all that match the filters. They keep their secrets.',
    )
    .argument('[token...]', TOKEN)
    .requiredOption('--to <user>', 'the new owner: an id, the e-mail of a person or the name of a service')
    .option('--cut-scopes', 'remove the scopes that the new owner may not have')
    .option('--dry-run', 'only list the tokens that would move')
    .option('-y, --yes', 'do not ask before several tokens move');
  addExamples(
    addRemoteFlags(addOwnerFlags(addFilterFlags(command))),
    'latchkey tokens transfer "deploy bot" --to "deploy jobs"',
    'latchkey tokens transfer --owner ada@example.org --scope deployments:write --to 7 --dry-run',
  ).action(async (selectors: string[], flags: TransferFlags) => {
    const { transferTokens } = await import('./transfer.js');
    await transferTokens(selectors, flags);
  });
}

function addVerify(tokens: Command): void {
  const command = tokens
    .command('verify')
    .description('Verify a token, which is read from standard input or typed without echo.')
    .option('--scope <scope>', 'a scope that it must have; may be repeated', collect)
    .option('-q, --quiet', 'print nothing; only set the exit code');
  addExamples(
    addRemoteFlags(command),
    'latchkey tokens verify < token.txt',
    'latchkey tokens verify --quiet --scope reports:read < token.txt && echo welcome',
  )
    .addHelpText('after', '\nExit codes: 0 the token is valid, 1 it is not, 2 the service gave no verdict.')
    .action(async (flags: VerifyFlags) => {
      const { verifyToken } = await import('./verify.js');
      await verifyToken(flags);
    });
}

function addFilterFlags(command: Command): Command {
  const types = new Option('--type <type>', 'personal access tokens, sessions or both (pat)').choices([
    'pat',
    'session',
    'all',
  ]);
  for (const option of [
    types,
    new Option('--state <state>', 'in this state; expiring means within 7 days').choices(STATES),
    new Option('--scope <scope>', 'with this scope'),
    new Option('--search <text>', 'with this text in name, description or prefix'),
    new Option('--created-after <instant>', 'such as 2026-12-31, 2026-12-31T12:00:00Z or -30d').argParser(instant),
    new Option('--created-before <instant>', 'such as -90d').argParser(instant),
    new Option('--expires-after <instant>', 'such as +7d; excludes tokens that never expire').argParser(instant),
    new Option('--expires-before <instant>', 'such as +7d; excludes tokens that never expire').argParser(instant),
    new Option('--last-used-after <instant>', 'such as -30d; excludes tokens never used').argParser(instant),
    new Option('--last-used-before <instant>', 'such as -30d; excludes tokens never used').argParser(instant),
    new Option('--never-used', 'never used'),
  ]) {
    command.addOption(option.helpGroup('Which tokens:'));
  }
  return command;
}

/** Adds the flags that name the owner of the tokens, who may be another one than the user who is logged in. */
function addOwnerFlags(command: Command): Command {
  for (const option of [
    new Option('--owner <user>', 'of this user: an id, the e-mail of a person or the name of a service'),
    new Option('--external-owner <id>', 'of this owner, by the id in your own system'),
  ]) {
    command.addOption(option.helpGroup('Whose tokens (yours):'));
  }
  return command;
}

function addExamples(command: Command, ...examples: string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`);
}
