import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { isPostgresUrl } from '../server/config/postgres-url.js';
import { WrongUse } from './failure.js';
import { print } from './output/print.js';
import { readSettings } from './settings.js';

interface RotateKeyFlags {
  database?: string;
  prepare?: boolean;
}

export function addRotateKey(program: Command): void {
  program
    .command('rotate-key')
    .description('Replace the key that encrypts the secrets of webhooks, while the service runs.')
    .option('--database <database>', 'file, or URL of PostgreSQL (LATCHKEY_DATABASE, latchkey.db)')
    .option('--prepare', 'only write the new key to the key file, so that you can copy the file to other machines')
    .addHelpText(
      'after',
      `
The new key becomes the first line of the key file, LATCHKEY_SECRET_KEY_FILE; the former ones stay, because backups need them.
Running services read the file again. Those on other machines need the file with the new key before: see --prepare.`,
    )
    .action(rotateKey);
}

async function rotateKey({ database, prepare = false }: RotateKeyFlags): Promise<void> {
  const { rotateSecretKey } = await import('../server/index.js');
  const settings = await readSettings({ database });
  if (!isPostgresUrl(settings.database) && settings.database !== ':memory:' && !existsSync(settings.database)) {
    throw new WrongUse(`there is no database ${settings.database}`);
  }
  const { file, webhooks } = await rotateSecretKey(settings, { prepare });
  print(
    webhooks === null
      ? `${file} has a new key as its first line: copy it to the other machines, and then run latchkey rotate-key`
      : `encrypted the ${webhooks === 1 ? 'secrets of 1 webhook' : `secrets of ${String(webhooks)} webhooks`} with a new key, the first line of ${file}`,
  );
}
