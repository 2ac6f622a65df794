import { get, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import type { AuditEvent } from '../../generated/types.gen.js';
import type { Service } from './service.js';
import { rowsOf } from './store.js';

interface Frame {
  id?: string;
  event?: string;
  data?: string;
  comment?: string;
}

/** A stream of events that a test reads. */
export interface Following {
  status: number;
  headers: IncomingMessage['headers'];
  /** Resolves with the next frame, and with undefined at the end of the stream. */
  next(): Promise<Frame | undefined>;
  /** Resolves with the next event. */
  event(): Promise<AuditEvent>;
  pause(): void;
  resume(): void;
  close(): void;
}

/** Opens a stream on a connection of its own, which the end of the test closes, once all events are linked. */
export async function follow(
  service: Pick<Service, 'url' | 'database'>,
  token: string,
  { query = '', headers = {} }: { query?: string; headers?: OutgoingHttpHeaders } = {},
): Promise<Following> {
  const { url } = service;
  const unlinked = 'select count(*) as count from audit_events where seq is null';
  await expect.poll(async () => (await rowsOf(service, unlinked))[0], { timeout: 5_000 }).toEqual({ count: 0 });
  return await new Promise((resolve, reject) => {
    const request = get(
      `${url}/api/v1/events${query}`,
      { agent: false, headers: { Authorization: `Bearer ${token}`, ...headers } },
      (response) => {
        resolve(toFollowing(response));
      },
    );
    request.once('error', reject);
    onTestFinished(() => {
      request.destroy();
    });
  });
}

function toFollowing(response: IncomingMessage): Following {
  const frames: (Frame | undefined)[] = [];
  const waiting: ((frame: Frame | undefined) => void)[] = [];
  const give = (frame: Frame | undefined) => {
    const wake = waiting.shift();
    if (wake === undefined) frames.push(frame);
    else wake(frame);
  };
  let rest = '';
  response.setEncoding('utf8');
  response.on('data', (text: string) => {
    const parts = (rest + text).split('\n\n');
    rest = parts.pop() ?? '';
    for (const part of parts) give(toFrame(part));
  });
  response.once('error', () => undefined);
  response.once('close', () => {
    give(undefined);
  });
  const next = () =>
    frames.length > 0
      ? Promise.resolve(frames.shift())
      : new Promise<Frame | undefined>((resolve) => {
          waiting.push(resolve);
        });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    next,
    async event() {
      for (;;) {
        const frame = await next();
        if (frame === undefined) throw new Error('the stream has ended');
        if (frame.data !== undefined) return JSON.parse(frame.data) as AuditEvent;
      }
    },
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => void response.destroy(),
  };
}

function toFrame(text: string): Frame {
  return Object.fromEntries(
    text.split('\n').map((line) => {
      const [, field, value] = /^([^:]*): ?(.*)$/s.exec(line) ?? [];
      return [field === '' ? 'comment' : field, value];
    }),
  ) as Frame;
}
