import { unknownSettings } from '../server/config/config.js';
import type { Config } from '../server/index.js';
import { note } from './output/print.js';

/** Reads the service's configuration, and warns of each variable `LATCHKEY_*` that is not a setting of this version. */
export async function readSettings(
  flags: Partial<Record<keyof Config, string | undefined>>,
  defaults: Partial<Config> = {},
): Promise<Readonly<Config>> {
  for (const name of unknownSettings(process.env)) {
    note(`latchkey: ${name} is not a setting of this version and is ignored`);
  }
  const { readConfig } = await import('../server/index.js');
  return readConfig(flags, process.env, defaults);
}
