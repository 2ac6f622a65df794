import { expect, vi } from 'vitest';
import type { Answer } from './http.js';
import { ADMIN, type Service } from './service.js';
import { contentOf } from './store.js';

/** What a call of the typed client resolves with. */
interface TypedAnswer {
  error?: unknown;
  response?: Response;
}

export interface Refusal {
  status: number;
  /** The expected body, which may contain asymmetric matchers. Undefined checks no body. */
  body?: unknown;
  /** Further texts that must not come back or be logged, such as the password that was sent. */
  secrets?: string[];
}

/**
 * Makes a call that the service must reject, and returns the answer. Checks what is true of every rejected request: the
 * status, a body of JSON, an unchanged database, and no secret in the body, the headers or the log.
 */
export async function expectRefusal(
  service: Service,
  call: () => Promise<Answer | TypedAnswer>,
  { status, body, secrets = [] }: Refusal,
): Promise<Answer> {
  const before = await contentOf(service);
  const answer = toAnswer(await call());
  expect(answer).toMatchObject({ status, headers: { 'content-type': 'application/json; charset=utf-8' } });
  if (body !== undefined) expect(answer.body).toEqual(body);
  await expectNoSecret(service, answer, secrets);
  expect(await contentOf(service)).toEqual(before);
  return answer;
}

/** Tokens, password hashes and the fixtures' passwords; a displayable prefix is too short to match. */
const SECRET = /[a-z][a-z0-9]*_(pat|ses|ref)_[0-9A-Za-z]{6,}|\$argon2|password of /;

/** Checks that no secret is in the answer or the log. First waits for the log line of the answer. */
export async function expectNoSecret(service: Service, answer: Answer, secrets: string[] = []): Promise<void> {
  await logged(service, answer);
  const places = { text: answer.text, headers: JSON.stringify(answer.headers), log: service.log.join('') };
  for (const [place, text] of Object.entries(places)) {
    expect(text, place).not.toMatch(SECRET);
    for (const secret of [ADMIN.password, ...secrets]) expect(text, place).not.toContain(secret);
  }
}

export interface LogLine {
  level: number;
  status: number;
  reason?: string;
  requestId: string;
  err?: { message: string };
}

/** Waits for the log line of the request with this answer. The line is written shortly after the answer. */
export async function logged({ log }: Service, { headers }: Answer): Promise<LogLine> {
  return await vi.waitFor(
    () => {
      const id = String(headers['x-request-id']);
      const lines = log
        .filter((line) => line.includes(id))
        .map((line) => JSON.parse(line) as LogLine & { msg: string });
      const line = lines.findLast(({ msg, requestId }) => msg === 'request' && requestId === id);
      if (line === undefined) throw new Error('the request is not in the log yet');
      return line;
    },
    { interval: 2, timeout: 5_000 },
  );
}

function toAnswer(answer: Answer | TypedAnswer): Answer {
  if ('status' in answer) return answer;
  const { error, response } = answer;
  if (response === undefined) throw new Error(`no answer: ${String(error)}`);
  const headers = Object.fromEntries(response.headers);
  return { status: response.status, headers, text: JSON.stringify(error ?? ''), body: error };
}
