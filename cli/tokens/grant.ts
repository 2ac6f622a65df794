import { type Lifetime, lifetime } from '../account/flags.js';
import { note } from '../output/print.js';
import { ask, canAsk } from '../terminal.js';

export interface GrantFlags {
  scope?: string[] | false;
  scopes?: string[] | 'all';
  expiresIn?: Lifetime;
}

/** What a new token may do, and for how long. */
export interface Grant {
  /** `all` is what its creator may do, but `users:admin`. */
  scopes: string[] | 'all';
  lifetime: Lifetime;
  /** Whether somebody has chosen the lifetime. */
  isChosen: boolean;
}

const LEAST = 'tokens:read';
const DAYS = 90;

/** What the flags say. Of what they leave open, people on a terminal are asked, and others get the least. */
export async function chooseGrant(flags: GrantFlags, asks: boolean): Promise<Grant> {
  const isAsked = asks && canAsk() && process.stderr.isTTY;
  const scopes = givenScopes(flags) ?? (isAsked ? await askScopes() : [LEAST]);
  const chosen = flags.expiresIn ?? (isAsked ? await askLifetime() : undefined);
  return { scopes, lifetime: chosen ?? DAYS, isChosen: chosen !== undefined };
}

/** The value of `--scopes`. */
export function scopeList(text: string): string[] | 'all' {
  return text === 'all' ? text : text.split(/[\s,]+/).filter((scope) => scope !== '');
}

function givenScopes({ scope, scopes }: GrantFlags): string[] | 'all' | undefined {
  return scopes ?? (scope === false ? [] : scope);
}

async function askScopes(): Promise<string[] | 'all'> {
  const question = `scopes, such as tokens:read deployments:write; all, or none [${LEAST}]: `;
  const answer = (await ask(question, 'give --scope')).trim();
  if (answer === 'none') return [];
  return answer === '' ? [LEAST] : scopeList(answer);
}

/** Undefined where the question is left as it is. */
async function askLifetime(): Promise<Lifetime | undefined> {
  for (;;) {
    const answer = (
      await ask(`expires in, such as 2w, 2027-12-31 or never [${String(DAYS)}d]: `, 'give --expires-in')
    ).trim();
    if (answer === '') return undefined;
    try {
      return lifetime(answer);
    } catch (error) {
      note(error instanceof Error ? error.message : String(error));
    }
  }
}
