import type { Context } from './context.js';
import { isObject } from './document/json.js';
import type { Operation } from './document/model.js';
import type { CaseInfo, Exchange } from './exchange.js';
import type { Draft } from './http/draft.js';
import { dangerOf, isGuess, isLogout, isRemover, reasonAgainst } from './policy.js';
import type { Phase } from './report/types.js';

/** Sends the cases of one operation: variations of a valid request, which is replaced when an answer has used it up. */
export interface CaseSender {
  /** The valid request with only the required parameters and members. */
  base: Draft;
  /** The valid request with all optional parameters and members too. */
  full: Draft;
  /** Whether an accepted request leaves the valid one as it is, because it neither uses up a thing nor guesses a secret. */
  isSteady: boolean;
  /**
   * Sends the request that `change` makes of the valid one. `attempt` does not record the findings. Resolves with
   * undefined if the request must not be sent.
   */
  send(
    info: Omit<CaseInfo, 'phase'>,
    change: (base: Draft) => Draft,
    how?: 'attempt' | 'send',
  ): Promise<Exchange | undefined>;
}

/** Most wrong secrets that are sent to one operation; fewer than any login throttle allows. */
const MOST_GUESSES = 6;
/** Most disposable sessions of one sender (each login costs a slow password hash), and most other credentials. */
const MOST_SESSIONS = 12;
const MOST_CREDENTIALS = 80;

/** Resolves with undefined if the run cannot make a valid request; the report then contains the reason. */
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
  /** Whether no further valid request can be made, because the last one has used up what it needs. */
  let isUsedUp = false;
  let throwawaysLeft = isLogout(operation) ? MOST_SESSIONS : MOST_CREDENTIALS;

  async function prepare(): Promise<Draft | undefined> {
    const draft = await fixtures.base(operation, { fresh: usesUp, phase });
    if (dangerOf(operation, run.spec) !== 'ends-caller') return draft;
    const credential = throwawaysLeft-- > 0 ? await context.throwaway(operation, phase) : undefined;
    if (credential) return credentials.attach(draft, credential);
    run.record.skip(operation, 'the run has no further disposable credential');
    run.record.extent.exempt(operation);
    return undefined;
  }

  /** Replaces the user of a login with a wrong password by one that does not exist, so that no user is locked out. */
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
    isSteady: !usesUp && !guesses,
    async send(info, change, how = 'send') {
      if (isUsedUp) return undefined;
      let draft = change(sender.base);
      // An empty segment makes another path. Its DELETE may delete the whole collection.
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
      // A conflict hides whether the server accepts the other values, so the next valid request has new texts.
      const conflicts = status === 409 && verdict.kind === 'valid' && operation.method === 'POST' && !usesUp;
      const isSpent = status < 400 && (usesUp || fixtures.isUnique(operation));
      if (conflicts || isSpent) await renew(conflicts || fixtures.isUnique(operation));
      return exchange;
    },
  };
  return sender;
}
