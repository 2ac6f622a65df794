import { practice, promises } from '../checks/practice.js';
import type { Context } from '../context.js';
import { sameJson } from '../document/json.js';
import type { Operation } from '../document/model.js';
import type { Exchange } from '../exchange.js';
import { emptyDraft } from '../http/draft.js';
import { performanceNow } from '../timers.js';

const ANY = { phase: 'security', expectation: 'any' } as const;
/** Milliseconds and the factor by which one answer must be slower than the other, so that load is not the reason. */
const SLOWER_MS = 250;
const SLOWER_TIMES = 2;
/** Logins of each kind at most; fewer than any throttle allows. */
const MOST = 3;

/** Checks that nobody can find out by a login which users exist, if `laws.practices` promises it. */
export async function checkLoginAlike({ run, credentials }: Context, operation: Operation): Promise<void> {
  const fields = credentials.loginFields(operation);
  const { login } = run.options;
  if (!fields || !login || !promises(run.options, 'login-alike')) return;
  const { user, password } = fields;
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < MOST; round++) {
    const wrong = `no password of theirs ${String(round)}`;
    const stranger = `nobody${String(round)}.${String(run.seed)}@example.org`;
    const sent: Exchange[] = [];
    for (const [index, name] of [login.username, stranger].entries()) {
      const startedAt = performanceNow();
      sent.push(
        await run.send(
          { ...emptyDraft(operation), body: { [user]: name, [password]: wrong } },
          { ...ANY, name: 'a login that fails' },
        ),
      );
      times[index === 0 ? 0 : 1].push(performanceNow() - startedAt);
    }
    const [known, unknown] = sent;
    if (known?.answer === undefined || unknown?.answer === undefined) return;
    if (known.answer.status === 429 || unknown.answer.status === 429) return;
    const isAlike = known.answer.status === unknown.answer.status && sameJson(known.value, unknown.value);
    const message = 'a login with an unknown user and one with a wrong password are told apart';
    const fail = (how: string, expected: string) => {
      run.record.fail(
        { ...ANY, name: 'a login that fails' },
        unknown,
        practice(run.options, 'login-alike', 'authentication', `${message} ${how}`, expected),
      );
    };
    if (!isAlike) {
      fail('by their answers', 'the same answer');
      return;
    }
    const [fast, slow] = times.map((all) => Math.min(...all)).sort((a, b) => a - b);
    if (fast === undefined || slow === undefined || slow - fast < SLOWER_MS || slow < SLOWER_TIMES * fast) return;
    if (round === MOST - 1) fail('by their time', `the same time, not ${fast.toFixed(0)} ms and ${slow.toFixed(0)} ms`);
  }
}
