import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createLatchkey } from '../../client/index.js';
import { startLocal } from '../support/local-server.js';
import { APPS } from './apps.js';
import { createSetting, SERVICE } from './setting.js';

// The verifier's own token is rotated with a grace period while its API serves: nobody is turned away for it.

test.each(['one at a time', 'in batches'])('no request is answered with 503 while questions go %s', async (way) => {
  const service = await startLocal(SERVICE);
  let own = '';
  const setting = createSetting(service, { token: () => own || setting.plaintext('verifier') });
  const app = await APPS['node:http']?.(setting.verifier);
  const headers = { Authorization: `Bearer ${setting.plaintext('good')}` };
  const statuses: number[] = [];
  let isRotated = false;
  const keepAsking = async () => {
    while (!isRotated) {
      const answer = await fetch(`${app?.url ?? ''}/private`, { headers });
      await answer.text();
      statuses.push(answer.status);
    }
  };
  const clients = Array.from({ length: way === 'in batches' ? 16 : 1 }, keepAsking);
  const rotate = async (token: string) =>
    await createLatchkey({ baseUrl: service.url, token }).rotateCurrentAccessToken({
      body: { gracePeriodSeconds: 3_600 },
    });
  // Twice, and the new secret reaches the verifier only a while after each.
  for (let times = 0; times < 2; times++) {
    await pause(50);
    const { plaintext } = await rotate(own || setting.plaintext('verifier'));
    await pause(50);
    own = plaintext;
  }
  await pause(50);
  isRotated = true;
  await Promise.all(clients);
  expect(statuses.length).toBeGreaterThan(10);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(setting.errors).toEqual([]);
});
