import { type Lifetime, lifetime } from '../account/flags.js';
import { note } from '../output/print.js';
import { ask, canAsk } from '../terminal.js';
import type { OwnerFlags } from './owner.js';

export interface GrantFlags {
  scope?: string[] | false;
  scopes?: string[] | 'all';
  expiresIn?: Lifetime;
}

/** Scopes and lifetime of a new token. */
export interface Grant {
  /** `all` means all scopes of its creator except those of administrators. */
  scopes: string[] | 'all';
  lifetime: Lifetime;
  /** Whether the user has chosen the lifetime. */
  isChosen: boolean;
}

/** By default, a new token reads the tokens of the one who creates it. Another owner's key gets no scope of the service unnamed. */
const LEAST = ['tokens:read'];
const LEAST_FOR_OTHERS: string[] = [];
const DAYS = 90;

/** Chooses scopes and lifetime: by the flags, else by asking on a terminal, else the defaults. */
export async function chooseGrant(flags: GrantFlags & OwnerFlags, asks: boolean): Promise<Grant> {
  const isForOther = flags.owner !== undefined || flags.externalOwner !== undefined;
  const least = isForOther ? LEAST_FOR_OTHERS : LEAST;
  const isAsked = asks && canAsk() && process.stderr.isTTY;
  const scopes = givenScopes(flags) ?? (isAsked ? await askScopes(least) : least);
  const chosen = flags.expiresIn ?? (isAsked ? await askLifetime() : undefined);
  return { scopes, lifetime: chosen ?? DAYS, isChosen: chosen !== undefined };
}

/** Parses the value of `--scopes`. */
export function scopeList(text: string): string[] | 'all' {
  return text === 'all' ? text : text.split(/[\s,]+/).filter((scope) => scope !== '');
}

function givenScopes({ scope, scopes }: GrantFlags): string[] | 'all' | undefined {
  return scopes ?? (scope === false ? [] : scope);
}

async function askScopes(least: string[]): Promise<string[] | 'all'> {
  const question = `scopes, such as tokens:read deployments:write; all, or none [${least.join(' ') || 'none'}]: `;
  const reply = (await ask(question, 'use --scope')).trim();
  if (reply === 'none') return [];
  return reply === '' ? least : scopeList(reply);
}

/** Asks for the lifetime; undefined if the user accepts the default. */
async function askLifetime(): Promise<Lifetime | undefined> {
  for (;;) {
    const reply = (
      await ask(`expires in, such as 2w, 2027-12-31 or never [${String(DAYS)}d]: `, 'use --expires-in')
    ).trim();
    if (reply === '') return undefined;
    try {
      return lifetime(reply);
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
  }
}
