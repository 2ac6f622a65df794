import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ANY_UUID } from './support/matchers.js';
import { startService } from './support/service.js';
import { shapeOf } from './support/shape.js';

const BREAK = '--- next block ---';

test("the README's tours work in a shell and print what they say", async () => {
  const { url } = await startService();
  const tours = [...readFileSync('README.md', 'utf8').matchAll(/<!-- tour -->(.*?)<!-- \/tour -->/gs)];
  const tour = tours.map(([text]) => text).join('\n');
  const blocks = [...tour.matchAll(/```(\w+)\n(.*?)```/gs)].map(([, language, text = '']) => ({ language, text }));
  const commands = blocks.filter(({ language }) => language === 'sh');
  const outputs = blocks.filter(({ language }) => language !== 'sh');
  expect(commands.length).toBeGreaterThan(5);
  expect(outputs).toHaveLength(commands.length);

  const script = commands.map(({ text }) => `${text}\necho; echo '${BREAK}'`).join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euc', script.replace('http://127.0.0.1:8080', url)]);
  const printed = stdout.split(BREAK).map((text) => text.trim());

  for (const [index, { language, text }] of outputs.entries()) {
    if (language === 'json') expect(shapeOf(JSON.parse(printed[index] ?? ''))).toEqual(shapeOf(JSON.parse(text)));
    else if (language === 'uuid') expect(printed[index]).toEqual(ANY_UUID);
    else expect(printed[index]).toBe(text.trim());
  }
});
