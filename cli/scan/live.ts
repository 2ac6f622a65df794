import type { FoundToken, ScanReport } from '../../scan/index.js';
import { withConnection } from '../account/connection.js';
import { WrongUse } from '../failure.js';
import { visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import type { ScanFlags } from './flags.js';

/** What one request asks about. */
const BATCH = 100;
const DEAD = new Set(['malformed', 'unknown', 'expired', 'revoked']);

/**
 * Asks the service what has become of each token that was found, and with `--revoke` ends those that are not dead. Gives
 * the report with their states: the service's code, `revoked now`, or `not asked` for a refresh token, which only the
 * service that it is spent at can tell of. They are sent to that service and nowhere else.
 */
export async function withStates(report: ScanReport, flags: ScanFlags): Promise<ScanReport> {
  if (report.tokens.length === 0) return report;
  return await withConnection(flags, async ({ client }) => {
    const states = new Map<FoundToken, string>();
    const askable = report.tokens.filter(({ kind }) => kind !== 'ref');
    for (let start = 0; start < askable.length; start += BATCH) {
      const batch = askable.slice(start, start + BATCH);
      const tokens = batch.map(({ plaintext }) => ({ token: plaintext() }));
      const { results } = await client.verifyAccessTokens({ body: { tokens } });
      for (const [index, token] of batch.entries()) states.set(token, visible(results[index]?.code ?? 'not asked'));
    }
    const alive = report.tokens.filter((token) => !isDead(states.get(token)));
    if (flags.revoke === true && alive.length > 0 && (await isWanted(alive.length, flags))) {
      for (const token of alive) {
        await client.revokeOAuthToken({ body: { token: token.plaintext() } });
        states.set(token, 'revoked now');
      }
    }
    return { ...report, tokens: report.tokens.map((token) => ({ ...token, state: states.get(token) ?? 'not asked' })) };
  });
}

/** Whether a token of this state opens nothing any more. */
export function isDead(state: string | undefined): boolean {
  return state !== undefined && DEAD.has(state);
}

async function isWanted(count: number, { yes = false }: ScanFlags): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) throw new WrongUse('--revoke needs --yes where nobody can be asked');
  const answer = await ask(`Revoke ${String(count)} ${count === 1 ? 'token' : 'tokens'} for good? [y/N] `, 'say --yes');
  return /^y(es)?$/i.test(answer.trim());
}
