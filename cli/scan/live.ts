import type { FoundToken, ScanReport } from '../../scan/index.js';
import { withConnection } from '../account/connection.js';
import { WrongUse } from '../failure.js';
import { visible } from '../output/text.js';
import { ask, canAsk } from '../terminal.js';
import type { ScanFlags } from './flags.js';

/** Most tokens in one request. */
const BATCH = 100;
const INVALID = new Set(['malformed', 'unknown', 'expired', 'revoked']);

/**
 * Asks the service for the state of each token found, and with `--revoke` revokes those that are still valid or disabled.
 * Returns the report with the states: the service's code, `revoked now`, or `not asked` for a refresh token, which the
 * service cannot verify. The tokens are sent to that service only.
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
    const valid = report.tokens.filter((token) => !isInvalid(states.get(token)));
    if (flags.revoke === true && valid.length > 0 && (await isWanted(valid.length, flags))) {
      for (const token of valid) {
        await client.revokeOAuthToken({ body: { token: token.plaintext() } });
        states.set(token, 'revoked now');
      }
    }
    return { ...report, tokens: report.tokens.map((token) => ({ ...token, state: states.get(token) ?? 'not asked' })) };
  });
}

/** Whether a token with this state is invalid for good. */
export function isInvalid(state: string | undefined): boolean {
  return state !== undefined && INVALID.has(state);
}

async function isWanted(count: number, { yes = false }: ScanFlags): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) throw new WrongUse('--revoke needs --yes without a terminal');
  const reply = await ask(`Revoke ${String(count)} ${count === 1 ? 'token' : 'tokens'} for good? [y/N] `, 'say --yes');
  return /^y(es)?$/i.test(reply.trim());
}
