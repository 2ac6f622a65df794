import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  axeFindings,
  hasBrowser,
  LOOKS,
  openTab,
  overflowOf,
  showAs,
  startBrowser,
  type Tab,
} from '../support/browser.js';
import { type Service, startService } from '../support/service.js';

const cleanUps: (() => Promise<void>)[] = [];
let service: Service;

beforeAll(async () => {
  service = await startService({}, (cleanUp) => cleanUps.push(cleanUp));
});

afterAll(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

test.skipIf(!hasBrowser)('the reference has no fault in any look', { timeout: 120_000 }, async () => {
  const { page, faults }: Tab = await openTab(await startBrowser());
  await page.goto(`${service.url}/reference`);
  for (const look of LOOKS) {
    await showAs(page, look);
    expect(await axeFindings(page), JSON.stringify(look)).toEqual([]);
    expect(await overflowOf(page), JSON.stringify(look)).toBe(0);
  }
  expect(faults).toEqual([]);
});
