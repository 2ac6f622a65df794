import type { AccessToken, TokenFilter } from '../../client/index.js';
import { Rejected, WrongUse } from '../failure.js';
import { note, print } from '../output/print.js';
import { toJson, visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';

// A change of several tokens in one request: shown and asked about on a terminal before it is made.

/** Most tokens that are listed before they are changed. */
const MOST_NAMED = 20;

/** What is done with the tokens, as words of the output. */
export interface Deed {
  /** Such as `revoke`. */
  verb: string;
  /** Such as `revoked`. */
  done: string;
  /** What follows the number of tokens in the question, such as ` for good`. */
  warning: string;
}

export interface BulkFlags {
  dryRun?: boolean;
  yes?: boolean;
  json?: boolean;
}

/** What every answer to such a request has. */
interface Changed {
  dryRun: boolean;
  tokens: AccessToken[];
}

/** How many tokens an answer tells of, and what else it says about them. */
interface Told {
  count: number;
  more?: string;
}

/** Throws `WrongUse` unless tokens are either named or filtered. */
export function requireOneWay(selectors: readonly string[], filter: TokenFilter, command: string): void {
  if (selectors.length > 0 === Object.keys(filter).length > 0) {
    throw new WrongUse(`either name tokens or give filters: see latchkey tokens ${command} --help`);
  }
}

/** Changes the tokens in one transaction, after asking if they may be several. */
export async function changeTogether<Answer extends Changed>(
  { verb, done, warning }: Deed,
  change: (dryRun: boolean) => Promise<Answer>,
  told: (answer: Answer) => Told,
  { several, flags }: { several: boolean; flags: BulkFlags },
): Promise<void> {
  if (several && flags.yes !== true && flags.dryRun !== true) {
    if (!canAsk()) throw new WrongUse(`this may ${verb} several tokens: use --yes, or --dry-run to list them`);
    const found = await change(true);
    const { count } = told(found);
    if (count === 0) throw new Rejected('no token matches');
    listFound(found, count, note);
    const reply = await ask(`${verb} ${counted(count)}${warning}? [y/N] `, '');
    if (!/^y(es)?$/i.test(reply.trim())) throw new Rejected(`nothing was ${done}`);
  }
  const changed = await change(flags.dryRun === true);
  if (flags.json === true) {
    print(toJson(changed));
    return;
  }
  const { count, more = '' } = told(changed);
  listFound(changed, count, print);
  print(`${changed.dryRun ? `would ${verb}` : done} ${counted(count)}${count === 0 ? '' : more}`);
}

function counted(count: number): string {
  if (count === 0) return 'no token: none was left';
  return count === 1 ? '1 token' : `${String(count)} tokens`;
}

function listFound({ tokens }: Changed, count: number, say: (line: string) => void): void {
  for (const { tokenPrefix, name } of tokens.slice(0, MOST_NAMED)) say(`${visible(tokenPrefix)}  ${visible(name)}`);
  const more = count - MOST_NAMED;
  if (more > 0) say(`and ${String(more)} more`);
}
