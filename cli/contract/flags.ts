import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Check, ContractOptions } from '../../contract/index.js';
import { WrongUse } from '../failure.js';
import { askHidden } from '../terminal.js';
import { variable } from '../variables.js';

/** The options of `latchkey contract`, as the user typed them. */
export interface ContractFlags {
  url?: string;
  spec?: string;
  config?: string;
  token?: string;
  login?: string;
  passwordStdin?: boolean;
  credential: string[];
  other: string[];
  header: string[];
  only?: string;
  checks: string[];
  excludeChecks: string[];
  seed?: string;
  time?: string;
  maxResponseTime?: string;
  allowIncomplete?: boolean;
  report: string[];
  quiet?: boolean;
  list?: boolean;
  dryRun?: boolean;
}

const NO_PASSWORD = 'there is no terminal to ask for the password: set LATCHKEY_PASSWORD, or use --password-stdin';

/** The options of the run. Flags override the configuration file. Throws `WrongUse` for a flag with a wrong value. */
export async function readOptions(flags: ContractFlags): Promise<ContractOptions> {
  const { CONFIG_FILE, readContractConfig, readCredential } = await import('../../contract/index.js');
  const file = flags.config ?? (existsSync(CONFIG_FILE) ? CONFIG_FILE : undefined);
  const { seeds, ...config } = file === undefined ? {} : await readContractConfig(file);
  const { spec, only } = flags;
  const url = flags.url ?? config.url;
  if (url === undefined) throw new WrongUse(`there is no server to test: give --url, or url in ${CONFIG_FILE}`);
  const identity = await readIdentity(flags, config);
  const others = await Promise.all(flags.other.map(async (token) => ({ token: await readCredential(token) })));
  return {
    ...config,
    ...identity,
    ...(others.length > 0 && { other: [...[config.other ?? []].flat(), ...others] }),
    url,
    headers: { ...config.headers, ...pairs(flags.header, ':', '--header') },
    excludeChecks: [...(config.excludeChecks ?? []), ...(flags.excludeChecks as Check[])],
    ...(seeds !== undefined && { seeds }),
    ...(spec !== undefined && { spec }),
    ...(flags.time !== undefined && { timeMs: milliseconds(flags.time, '--time') }),
    ...(flags.maxResponseTime !== undefined && {
      maxResponseMs: milliseconds(flags.maxResponseTime, '--max-response-time'),
    }),
    ...(flags.allowIncomplete === true && { allowIncomplete: true }),
    ...(only !== undefined && { only }),
    ...(flags.checks.length > 0 && { checks: flags.checks as Check[] }),
    ...(flags.seed !== undefined && { seeds: [readSeed(flags.seed)] }),
  };
}

/** The identity of the run: from the flags, else from the file, else from `LATCHKEY_TOKEN`. */
async function readIdentity(
  flags: ContractFlags,
  config: Partial<ContractOptions>,
): Promise<Pick<ContractOptions, 'token' | 'credentials' | 'login'>> {
  const { readCredential } = await import('../../contract/index.js');
  const isConfigured = config.token !== undefined || config.credentials !== undefined || config.login !== undefined;
  const credentials: Record<string, string> = { ...config.credentials };
  for (const [scheme, written] of Object.entries(pairs(flags.credential, '=', '--credential')))
    credentials[scheme] = await readCredential(written);
  const isAmong = Object.keys(credentials).length > 0 ? { credentials } : {};
  if (flags.login !== undefined)
    return { ...isAmong, login: { username: flags.login, password: await readPassword(flags) } };
  if (flags.token !== undefined) return { ...isAmong, token: await readCredential(flags.token) };
  const token = isConfigured ? undefined : variable('LATCHKEY_TOKEN');
  return { ...isAmong, ...(token !== undefined && { token: await readCredential(token) }) };
}

async function readPassword({ login = '', passwordStdin }: ContractFlags): Promise<string> {
  if (passwordStdin === true) return (await text(process.stdin)).split(/\r?\n/, 1)[0] ?? '';
  return variable('LATCHKEY_PASSWORD') ?? (await askHidden(`password of ${login}: `, NO_PASSWORD));
}

function milliseconds(duration: string, flag: string): number {
  const [, count, unit = 's'] = /^(\d{1,6})(ms|s|m)?$/.exec(duration) ?? [];
  if (count === undefined) throw new WrongUse(`${flag} must be a duration such as 500ms, 90s or 5m`);
  return Number(count) * { ms: 1, s: 1_000, m: 60_000 }[unit as 'ms' | 's' | 'm'];
}

function readSeed(seed: string): number {
  if (!/^\d{1,10}$/.test(seed) || Number(seed) > 0x7fffffff) {
    throw new WrongUse('--seed must be an integer from 0 to 2147483647');
  }
  return Number(seed);
}

function pairs(texts: string[], separator: string, flag: string): Record<string, string> {
  return Object.fromEntries(
    texts.map((pair) => {
      const at = pair.indexOf(separator);
      if (at <= 0) throw new WrongUse(`${flag} must be NAME${separator}VALUE`);
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
}
