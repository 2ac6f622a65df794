// Draws docs/images/tokens.svg, the table of `latchkey tokens list` as a terminal shows it: runs the command on a local
// server and draws its output with its colours. Run `npm run build` before.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { startServer } from '../dist/server/index.js';

const COLUMNS = 96;
const SEED = {
  users: [
    {
      email: 'ada@example.org',
      tokens: [
        token('deploy bot', '4fGq1ZsW8vKtYb0Xc7Rn2LmJd5PhQe', '-12d', '+78d', '-3h', [
          'deployments:write',
          'tokens:read',
        ]),
        token('nightly report', '9bTy3HsUa6WcVn1Zx8Kd0RqLm4GfJp', '-86d', '+4d', '-9h', ['reports:read']),
        token('billing job', 'OyyBVtLwMPTubZyKvjK2sjcY63sVlc', '-200d', undefined, '-40d', [
          'invoices:read',
          'invoices:send',
        ]),
        {
          ...token('staging', '2kPw7NvBs5XeCt9Yz3Ma6QhLr0DgFj', '-30d', '+60d', undefined, ['tokens:verify']),
          disabled: true,
        },
        token('old laptop', 'Ye3jZ0sVbW2pQn8TqLkR5uXdYe3jZ0', '-120d', '-30d', '-31d', ['tokens:read', 'tokens:write']),
      ],
    },
  ],
};

/** The colours that a terminal with a dark background shows for the codes that the command uses. */
const INK = { 31: '#ff7b72', 32: '#7ee787', 33: '#e3b341', 35: '#d2a8ff', 90: '#8b949e' };
const PLAIN = '#e6edf3';
const CELL = { width: 8.4, height: 20 };
const MARGIN = 18;

const server = await startServer({ testing: { seed: SEED } });
try {
  const args = ['tokens', 'list', '--sort', '-lastUsedAt'];
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli/main.js', ...args], {
    env: {
      PATH: process.env.PATH,
      FORCE_COLOR: '1',
      COLUMNS: String(COLUMNS),
      LATCHKEY_URL: server.url,
      LATCHKEY_TOKEN: await server.connection('ada@example.org').token(),
    },
  });
  const prompt = `\u001B[90m$\u001B[39m latchkey ${args.join(' ')}`;
  await writeFile(process.argv[2] ?? 'docs/images/tokens.svg', draw([prompt, ...stdout.trimEnd().split('\n')]));
} finally {
  await server.close();
}

function token(name, plaintext, createdAt, expiresAt, lastUsedAt, scopes) {
  return { name, plaintext, createdAt, expiresAt, lastUsedAt, scopes };
}

/** @param {string[]} lines with colour codes, of characters that are one column wide */
function draw(lines) {
  const width = COLUMNS * CELL.width + 2 * MARGIN;
  const height = lines.length * CELL.height + 2 * MARGIN;
  const rows = lines.flatMap((line, row) =>
    runs(line).map(({ text, column, ink, bold }) => {
      const x = (MARGIN + column * CELL.width).toFixed(1);
      const y = MARGIN + row * CELL.height + 15;
      // With a fixed length the columns stay straight in any monospaced font.
      const length = (text.length * CELL.width).toFixed(1);
      const weight = bold ? ' font-weight="bold"' : '';
      return `<text x="${x}" y="${y}" fill="${ink}"${weight} textLength="${length}">${escaped(text)}</text>`;
    }),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width.toFixed(0)} ${height}" role="img">`,
    '<title>latchkey tokens list on a terminal: names, prefixes, states, expiries, last uses and scopes</title>',
    `<rect width="100%" height="100%" rx="8" fill="#0d1117"/>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** Splits a line into pieces of one colour, without the blanks around them. */
function runs(line) {
  let ink = PLAIN;
  let bold = false;
  let column = 0;
  const found = [];
  for (const piece of line.split(/(\u001B\[\d+m)/)) {
    const [, code] = /^\u001B\[(\d+)m$/.exec(piece) ?? [];
    if (code === '1' || code === '22') bold = code === '1';
    else if (code !== undefined) ink = INK[code] ?? PLAIN;
    else {
      for (const { 0: text, index } of piece.matchAll(/\S+( \S+)*/g))
        found.push({ text, column: column + index, ink, bold });
      column += piece.length;
    }
  }
  return found;
}

function escaped(text) {
  return text.replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);
}
