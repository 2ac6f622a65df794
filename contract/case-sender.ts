import type { Context } from './context.js';
import { isObject } from './document/json.js';
import type { Operation } from './document/model.js';
import type { CaseInfo, Exchange } from './exchange.js';
import type { Draft } from './http/draft.js';
import { dangerOf, isGuess, isLogout, isRemover, reasonAgainst } from './policy.js';
import type { Phase } from './report/types.js';

/** Sends variations of one good request of an operation, and makes that good anew where an answer has used it up. */
export interface CaseSender {
  /** The good request, with required parameters and members alone. */
  base: Draft;
  /** The same with everything that may be left out. */
  full: Draft;
  /** Sends what `change` makes of the good request; undefined where that must not be sent. */
  send(
    info: Omit<CaseInfo, 'phase'>,
    change: (base: Draft) => Draft,
    how?: 'attempt' | 'send',
  ): Promise<Exchange | undefined>;
}

/** Wrong secrets that are sent to one operation: fewer than any throttle lets pass. */
const MOST_GUESSES = 6;
/** Sessions that one sender opens to use them up, each by a login with its slow hash; and other credentials. */
const MOST_SESSIONS = 12;
const MOST_CREDENTIALS = 80;

/** Undefined where no good request can be made; the report then says why. */
export async function createCaseSender(
  context: Context,
  operation: Operation,
  phase: Phase,
): Promise<CaseSender | undefined> {
  const { run, credentials, fixtures } = context;
  if (!context.isReachable(operation)) return undefined;
  const usesUp = isRemover(operation) || dangerOf(operation, run.spec) === 'ends-caller';
  const fields = credentials.loginFields(operation);
  const guesses = isGuess(operation, run.spec);
  let guessesLeft = MOST_GUESSES;
  /** Whether there is no further good request, what the last one needs having been used up. */
  let isUsedUp = false;
  let throwawaysLeft = isLogout(operation) ? MOST_SESSIONS : MOST_CREDENTIALS;

  async function prepare(): Promise<Draft | undefined> {
    const draft = await fixtures.base(operation, { fresh: usesUp, phase });
    if (dangerOf(operation, run.spec) !== 'ends-caller') return draft;
    const credential = throwawaysLeft-- > 0 ? await context.throwaway(operation, phase) : undefined;
    if (credential) return credentials.attach(draft, credential);
    run.record.skip(operation, 'no further credential to throw away');
    run.record.extent.exempt(operation);
    return undefined;
  }

  /** A stranger guesses where many requests would be guesses, so that no user is locked out. */
  function disguise(draft: Draft): Draft {
    if (!fields || !isObject(draft.body) || !isObject(sender.base.body)) return draft;
    const { [fields.user]: user, [fields.password]: password } = draft.body;
    const same = user === sender.base.body[fields.user];
    if (!same || password === sender.base.body[fields.password]) return draft;
    const stranger = `stranger${String(guessesLeft)}.${String(run.seed)}@example.org`;
    return { ...draft, body: { ...draft.body, [fields.user]: stranger } };
  }

  const base = await prepare();
  if (base === undefined) return undefined;
  const verdict = run.judgeRequest(base);
  if (verdict.kind !== 'valid') run.record.extent.lacksValidRequest(operation, verdict.why[0] ?? verdict.kind);
  const full = {
    ...(await fixtures.base(operation, { all: true, phase })),
    path: base.path,
    credential: base.credential,
  };

  async function renew(isUnique: boolean): Promise<void> {
    if (isUnique) fixtures.varyTexts(operation);
    const next = await prepare();
    isUsedUp = next === undefined;
    if (next === undefined) return;
    const { path, credential } = next;
    const { body } = isUnique ? await fixtures.base(operation, { all: true, phase }) : sender.full;
    sender.base = next;
    sender.full = { ...sender.full, path, credential, body };
  }

  const sender: CaseSender = {
    base,
    full,
    async send(info, change, how = 'send') {
      if (isUsedUp) return undefined;
      let draft = change(sender.base);
      // An empty segment asks for another path, whose DELETE may be that of the whole collection.
      if (Object.values(draft.path).some((value) => value === '' || (Array.isArray(value) && value.length === 0))) {
        return undefined;
      }
      let verdict = run.judgeRequest(draft);
      if (guesses && verdict.kind !== 'invalid') {
        draft = disguise(draft);
        verdict = run.judgeRequest(draft);
        const isOwn = fields !== undefined && JSON.stringify(draft.body) === JSON.stringify(sender.base.body);
        if (!isOwn && guessesLeft-- <= 0) return undefined;
      }
      const reason = reasonAgainst(draft, sender.base, verdict.kind, run.spec);
      if (reason !== undefined) {
        run.record.skip(operation, reason);
        if (draft === sender.base) run.record.extent.exempt(operation);
        return undefined;
      }
      const exchange = await run[how](draft, { ...info, phase });
      const { status = 500 } = exchange.answer ?? {};
      // Whatever else a good request that conflicts is refused for, it is not seen whether it would be accepted.
      const conflicts = status === 409 && verdict.kind === 'valid' && operation.method === 'POST' && !usesUp;
      const isSpent = status < 400 && (usesUp || fixtures.isUnique(operation));
      if (conflicts || isSpent) await renew(conflicts || fixtures.isUnique(operation));
      return exchange;
    },
  };
  return sender;
}
