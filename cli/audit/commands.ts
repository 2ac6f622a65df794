import { type Command, InvalidArgumentError, Option } from 'commander';
import { addRemoteFlags, instant, positiveInteger } from '../account/flags.js';
import type { ChainFlags } from './chain.js';
import type { ExportFlags } from './export.js';
import type { FollowFlags } from './follow.js';
import type { ListFlags } from './list.js';

export function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description(
      'Read the audit log, who changed what, when and from where, and verify that nobody changed the log itself.',
    );
  addList(audit);
  addFollow(audit);
  addExport(audit);
  addVerify(audit);
  addAnchorOf(audit);
}

function addVerify(audit: Command): void {
  const command = audit
    .command('verify')
    .description('Look in the database for events that were changed, moved or removed, while the service runs.')
    .option('--anchor <seq:hash>', 'a place and hash that were noted before; may be repeated', addAnchor)
    .option(
      '--keyed-from <seq>',
      'the first event that was linked with the key: later ones without it are a fault',
      seq,
    );
  addDatabaseFlags(command)
    .addHelpText('after', '\nExit codes: 0 no faults, 1 a fault.')
    .action(async (flags: ChainFlags) => {
      const { verify: run } = await import('./chain.js');
      await run(flags);
    });
}

function addAnchorOf(audit: Command): void {
  const command = audit
    .command('anchor')
    .description('Verify the events in the database and print the last one as SEQ:HASH, to note elsewhere for verify.');
  addDatabaseFlags(command).action(async (flags: ChainFlags) => {
    const { printAnchor } = await import('./chain.js');
    await printAnchor(flags);
  });
}

function addList(audit: Command): void {
  const command = audit
    .command('list')
    .alias('ls')
    .description(
      'List the events of a service, newest first; for administrators. Without a terminal: lines separated by tabs, without titles.',
    );
  for (const option of [
    new Option('--action <action>', 'such as token.revoked'),
    new Option('--actor <user>', 'what this user did, by id or e-mail'),
    new Option('--owner <user>', 'what changed this user or a token of this user, by id or e-mail'),
    new Option('--token <id>', 'what changed the token with this uuid'),
    new Option('--request-id <id>', 'what the request with this X-Request-Id changed'),
    new Option('--after <instant>', 'such as 2026-12-31, 2026-12-31T12:00:00Z or -30d').argParser(instant),
    new Option('--before <instant>', 'such as -7d').argParser(instant),
    new Option('--limit <number>', 'most events to list (50)').argParser(positiveInteger),
  ]) {
    command.addOption(option);
  }
  addRemoteFlags(command).action(async (flags: ListFlags) => {
    const { listEvents } = await import('./list.js');
    await listEvents(flags);
  });
}

function addFollow(audit: Command): void {
  const command = audit
    .command('follow')
    .description(
      'Print events of a service as they happen, one on each line, until Ctrl-C: all for administrators, else those of your tokens.',
    )
    .option('--after <seq>', 'begin after the event with this seq, instead of now', seq);
  addRemoteFlags(command).action(async (flags: FollowFlags) => {
    const { followEvents } = await import('./follow.js');
    await followEvents(flags);
  });
}

function addExport(audit: Command): void {
  const command = audit
    .command('export')
    .description('Print all linked events of a service as JSON Lines, in the order of their chain; for administrators.')
    .option('--after <seq>', 'go on after the event with this seq', seq)
    .addOption(
      new Option('--format <format>', 'the form of each event').choices(['latchkey', 'ocsf']).default('latchkey'),
    );
  addRemoteFlags(command).action(async (flags: ExportFlags) => {
    const { exportEvents } = await import('./export.js');
    await exportEvents(flags);
  });
}

function addDatabaseFlags(command: Command): Command {
  return command
    .option('--database <path>', 'database file or URL (LATCHKEY_DATABASE, latchkey.db)')
    .option('--audit-key-file <path>', 'file with the key of the chain (LATCHKEY_AUDIT_KEY_FILE)')
    .option('--json', 'print JSON, for programs');
}

function seq(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be an integer of 0 or more.');
  return Number(text);
}

function addAnchor(text: string, before: { seq: number; hash: string }[] | undefined) {
  const [, place, hash] = /^(\d{1,15}):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (place === undefined || hash === undefined) {
    throw new InvalidArgumentError('It must be SEQ:HASH as latchkey audit anchor prints it.');
  }
  return [...(before ?? []), { seq: Number(place), hash }];
}
