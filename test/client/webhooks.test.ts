import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { verifyWebhook, WebhookError, type WebhookErrorCode } from '../../client/index.js';
import { signedHeaders } from '../../server/webhooks/secret.js';

// The client verifies what the service signs, and what others sign by Standard Webhooks.

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwM5W7qh2XjB0=';
const OTHER = 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDG4Hh6xJ2a1c=';
const AT = Date.parse('2030-06-15T12:00:00.000Z');
const now = () => AT;
const BODY = '{"type":"token.created","data":{"tokenName":"Größe"}}';

function delivery(secrets: string[] = [SECRET], at = AT, body = BODY) {
  return { headers: signedHeaders('id-1', at, body, secrets), body };
}

async function codeOf(verifying: Promise<unknown>): Promise<WebhookErrorCode | undefined> {
  const error = await verifying.catch((thrown: unknown) => thrown);
  return error instanceof WebhookError ? error.code : undefined;
}

test('the example of Standard Webhooks is genuine', async () => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const event = await verifyWebhook(
    { headers, body: '{"test": 2432232314}' },
    'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    { now: () => 1_614_265_330_000 },
  );
  expect(event).toEqual({ test: 2_432_232_314 });
});

describe('a delivery is genuine', () => {
  test('in each form of a request', async () => {
    const { headers, body } = delivery();
    const request = new Request('https://hooks.example.org/', { method: 'POST', headers, body });
    for (const form of [
      request,
      { headers, body },
      { headers: new Headers(headers), body: Buffer.from(body) },
      {
        headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value])),
        body,
      },
    ]) {
      const event = await verifyWebhook(form, SECRET, { now });
      expect([event.type, event.data.tokenName]).toEqual(['token.created', 'Größe']);
    }
  });

  test('with one of several secrets and signatures', async () => {
    expect(await codeOf(verifyWebhook(delivery([OTHER, SECRET]), SECRET, { now }))).toBeUndefined();
    expect(await codeOf(verifyWebhook(delivery([SECRET]), [OTHER, SECRET], { now }))).toBeUndefined();
    const { headers, body } = delivery();
    const more = { ...headers, 'webhook-signature': `v1a,AAAA v1,!!! v2,AAAA ${String(headers['webhook-signature'])}` };
    expect(await codeOf(verifyWebhook({ headers: more, body }, SECRET, { now }))).toBeUndefined();
  });

  test('up to the tolerance, and no further', async () => {
    for (const [seconds, code] of [
      [-300, undefined],
      [300, undefined],
      [-301, 'timestamp_too_old'],
      [301, 'timestamp_too_new'],
    ] as const) {
      expect(
        await codeOf(verifyWebhook(delivery([SECRET], AT + seconds * 1_000), SECRET, { now })),
        String(seconds),
      ).toBe(code);
    }
    const old = delivery([SECRET], AT - 20_000);
    expect(await codeOf(verifyWebhook(old, SECRET, { now, toleranceSeconds: 10 }))).toBe('timestamp_too_old');
  });
});

describe('a request is refused', () => {
  const { headers, body } = delivery();
  const signature = String(headers['webhook-signature']);
  const unsigned = { ...headers, 'webhook-signature': `v1,${createHmac('sha256', '').update(body).digest('base64')}` };
  const cases: [why: string, headers: Record<string, string>, body: string, code: WebhookErrorCode][] = [
    ['with another body', headers, `${body} `, 'wrong_signature'],
    ['with another id', { ...headers, 'webhook-id': 'id-2' }, body, 'wrong_signature'],
    ['with another time', { ...headers, 'webhook-timestamp': String(AT / 1_000 + 1) }, body, 'wrong_signature'],
    ['signed with nothing', unsigned, body, 'wrong_signature'],
    [
      'with a part of the signature',
      { ...headers, 'webhook-signature': signature.slice(0, -8) },
      body,
      'wrong_signature',
    ],
    [
      'with another version',
      { ...headers, 'webhook-signature': signature.replace('v1', 'v2') },
      body,
      'wrong_signature',
    ],
    ['without a signature', { ...headers, 'webhook-signature': '' }, body, 'missing_header'],
    ['without an id', { 'webhook-timestamp': '1', 'webhook-signature': signature }, body, 'missing_header'],
    ['with a time that is none', { ...headers, 'webhook-timestamp': '1e9' }, body, 'missing_header'],
  ];
  test.each(cases)('%s', async (_, given, text, code) => {
    expect(await codeOf(verifyWebhook({ headers: given, body: text }, SECRET, { now }))).toBe(code);
  });

  test('with another secret, and with a body that is no JSON', async () => {
    expect(await codeOf(verifyWebhook(delivery(), OTHER, { now }))).toBe('wrong_signature');
    expect(await codeOf(verifyWebhook(delivery([SECRET], AT, '{'), SECRET, { now }))).toBe('invalid_body');
  });

  test('and a malformed secret or tolerance is a mistake of the program', async () => {
    for (const toleranceSeconds of [Number.NaN, -1]) {
      await expect(verifyWebhook(delivery(), SECRET, { now, toleranceSeconds })).rejects.toThrow(TypeError);
    }
    for (const secret of ['', 'whsec_', 'whsec_!!!']) {
      await expect(verifyWebhook(delivery(), secret, { now })).rejects.toThrow(TypeError);
    }
  });
});
