import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Client } from '../../generated/client/index.js';
import {
  createAccessToken,
  createPrivateToken,
  revokeAccessToken,
  revokePrivateToken,
  rotateAccessToken,
} from '../../generated/index.js';
import { logInTo, newFolder, serveDatabase } from '../support/process.js';
import { answered } from '../support/service.js';
import { FULL, publish } from './figures.js';
import { type Call, hasStrace, readTrace, tracing } from './strace.js';

const CONNECTIONS = 16;
const TOKENS = FULL ? 50 : 4;
const WATCHED = ['read', 'write', 'writev', 'pwrite64', 'fsync', 'fdatasync'];

// Without strace nobody sees what goes to the disk.
test.skipIf(!hasStrace)(
  'no create, revoke or rotation is answered before its own change is flushed',
  {
    timeout: 300_000,
  },
  async () => {
    const folder = await newFolder();
    const trace = join(folder, 'trace');
    const serving = await serveDatabase(join(folder, 'latchkey.db'), {}, { prefix: tracing(WATCHED, trace) });
    const { client } = await logInTo(serving.url);
    const workers = Array.from({ length: CONNECTIONS }, (_, worker) => change(client, `marker-${String(worker)}`));
    await Promise.all(workers);
    serving.child.kill('SIGTERM');
    await serving.finished;

    const exchanges = exchangesIn(readTrace(trace));
    const flushes = new Set(exchanges.map(({ flushedAt }) => flushedAt));
    publish('flush', 'answers', String(exchanges.length));
    publish('flush', 'flushes that they wait for', String(flushes.size));
    publish(
      'flush',
      'before the flush of their own change',
      String(exchanges.filter((one) => !isDurable(one)).length),
      '0',
    );
    expect(exchanges).toHaveLength(CONNECTIONS * TOKENS * 5);
    expect(exchanges.filter((exchange) => !isDurable(exchange))).toEqual([]);
    // Else this would be no proof for writes that share a commit.
    expect(flushes.size).toBeLessThan(exchanges.length);
  },
);

/** So long that no two rows fit on a page of 4096 bytes: a page with a token's mark is written for that token alone. */
const PADDING = Object.fromEntries(Array.from('abcdefghij', (name) => [name, name.repeat(250)]));

/** Each request has an id, and each token a mark, which stands on the page of its row whatever changes there. */
async function change(client: Client, name: string): Promise<void> {
  for (let index = 0; index < TOKENS; index++) {
    const mark = `${name}-${String(index)}.`;
    const headers = (kind: string) => ({ 'X-Request-Id': `${kind}-${mark}` });
    const body = { name: 'watched', description: mark, metadata: PADDING };
    const { token } = await answered(createAccessToken({ client, body, headers: headers('create') }));
    const path = { token_id: token.id };
    await answered(rotateAccessToken({ client, path, body: {}, headers: headers('rotate') }));
    await revokeAccessToken({ client, path, headers: headers('revoke'), throwOnError: true });

    const wish = { name: mark, expiration_time: inAnHour() };
    const { id } = await answered(createPrivateToken({ client, body: wish, headers: headers('createPrivate') }));
    await revokePrivateToken({ client, path: { id }, headers: headers('revokePrivate'), throwOnError: true });
  }
}

function inAnHour(): string {
  return new Date(Date.now() + 3_600_000).toISOString();
}

/** A request and its answer, in seconds; what is missing is infinite. */
interface Exchange {
  id: string;
  arrivedAt: number;
  /** When a page with the token's row was in the log. */
  writtenAt: number;
  /** When the first flush of the log was done that began after that. */
  flushedAt: number;
  answeredAt: number;
  /** Writes to the log that were not flushed when the answer went out. */
  unflushed: number;
}

function isDurable({ arrivedAt, writtenAt, flushedAt, answeredAt, unflushed }: Exchange): boolean {
  return arrivedAt < writtenAt && writtenAt <= flushedAt && flushedAt <= answeredAt && unflushed === 0;
}

function exchangesIn(calls: readonly Call[]): Exchange[] {
  const isOfLog = ({ text }: Call) => /^\d+<[^>]*-wal>/.test(text);
  const writes = calls.filter((call) => call.name === 'pwrite64' && isOfLog(call));
  const flushes = calls.filter((call) => /^f(data)?sync$/.test(call.name) && isOfLog(call) && call.result === '0');
  const answers = calls.filter(({ name, text }) => name.startsWith('write') && /HTTP\/1\.1 20[014] /.test(text));

  return answers.flatMap((answer) => {
    // Several answers may leave in one call.
    const ids = [...answer.text.matchAll(/X-Request-Id: ((?:create|rotate|revoke)(?:Private)?-(marker-[\d-]+\.))/gi)];
    return ids.map(([, id = '', mark = '']): Exchange => {
      const request = calls.filter(({ name, text }) => name === 'read' && text.includes(id)).at(0);
      const arrivedAt = request?.endedAt ?? Number.POSITIVE_INFINITY;
      const written = writes.find(({ startedAt, text }) => startedAt >= arrivedAt && text.includes(mark));
      const writtenAt = written?.endedAt ?? Number.POSITIVE_INFINITY;
      const flushedAt = flushes.find(({ startedAt }) => startedAt >= writtenAt)?.endedAt ?? Number.POSITIVE_INFINITY;
      const lastFlush = flushes.filter(({ endedAt }) => endedAt <= answer.startedAt).at(-1)?.startedAt ?? 0;
      const unflushed = writes.filter(({ startedAt }) => startedAt > lastFlush && startedAt < answer.startedAt).length;
      return { id, arrivedAt, writtenAt, flushedAt, answeredAt: answer.startedAt, unflushed };
    });
  });
}
