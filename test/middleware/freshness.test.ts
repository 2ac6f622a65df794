import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVerifier } from '../../client/middleware/index.js';
import { withChecksum } from '../support/plaintext.js';
import { rejectionOf } from '../support/rejection.js';

const TOKENS = ['0', '1'].map((digit) => withChecksum(`lk_pat_${digit.repeat(30)}`));

const token = fc.constantFrom(...TOKENS);
const pause = fc.boolean();
const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('ask' as const), token, pause }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('revoke' as const), token, pause }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('move' as const), which: fc.nat(5), breaks: fc.boolean(), pause }),
  },
);

/** A service whose requests and answers move one step when they are told to: there, and back. */
function createSlowService() {
  const revoked = new Set<string>();
  const underway: { go: () => void; fail: (error: Error) => void }[] = [];
  const step = () =>
    new Promise<void>((go, fail) => {
      underway.push({ go, fail });
    });
  return {
    revoked,
    move(which: number, breaks: boolean): void {
      const [chosen] = underway.splice(which % Math.max(1, underway.length), 1);
      if (breaks) chosen?.fail(new Error('the network'));
      else chosen?.go();
    },
    fetch: async (url: string, { body }: RequestInit) => {
      await step();
      const verdicts = questionsIn(body as string).map((plaintext) => verdictOn(plaintext, revoked.has(plaintext)));
      await step();
      return Response.json(url.endsWith('/verify') ? verdicts[0] : { results: verdicts });
    },
  };
}

test('no question is answered from before a revocation that came before it, whatever happens in whatever order', async () => {
  const script = fc.array(action, { minLength: 10, maxLength: 40, size: 'max' });
  const run = async (actions: (typeof action extends fc.Arbitrary<infer T> ? T : never)[], maxConcurrency: number) => {
    const service = createSlowService();
    const { verify } = createVerifier({
      ...{ baseUrl: 'http://localhost', token: 'the-verifiers', timeoutMs: 60_000 },
      ...{ maxConcurrency, fetch: service.fetch },
    });
    const asked: { plaintext: string; revoked: boolean; answer: Promise<unknown> }[] = [];
    let open = 0;
    for (const done of actions) {
      if (done.pause) await nextTurn();
      if (done.does === 'revoke') service.revoked.add(done.token);
      else if (done.does === 'move') service.move(done.which, done.breaks);
      else {
        open++;
        const answer = verify(done.token).finally(() => open--);
        answer.catch(() => undefined);
        asked.push({ plaintext: done.token, revoked: service.revoked.has(done.token), answer });
      }
    }
    while (open > 0) {
      service.move(0, false);
      await nextTurn();
    }
    for (const { plaintext, revoked, answer } of asked) {
      const verdict = await answer.catch(() => null);
      if (verdict === null) expect((await rejectionOf(answer)).code).toBe('service_unavailable');
      else expect(verdict).toMatchObject({ token: { id: plaintext }, ...(revoked && { code: 'revoked' }) });
    }
  };
  await fc.assert(fc.asyncProperty(script, fc.integer({ min: 1, max: 3 }), run), { numRuns: 300 });
});

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function questionsIn(body: string): string[] {
  const { token, tokens } = JSON.parse(body) as { token: string; tokens?: { token: string }[] };
  return tokens?.map((question) => question.token) ?? [token];
}

function verdictOn(plaintext: string, revoked: boolean) {
  return { valid: !revoked, code: revoked ? 'revoked' : 'valid', token: { id: plaintext }, owner: { id: 1 } };
}
