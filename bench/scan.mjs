// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { ratios, spread, table } from './figures.mjs';
import { fromRoot } from './process.mjs';

// Compares `latchkey scan` with ripgrep and the same pattern, as whole processes with their start, and counts false alarms
// in random text. The two take turns, so that other programs on the machine slow both alike.
//
//   npm run build && npm run bench:scan [gibibytes of random text, 1 by default]

const MIB = 1024 ** 2;
const FILE_MIB = 1_024;
const ROUNDS = 5;
const ALPHABET = Buffer.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const BRANDS = [
  { flags: [], pattern: '[a-z][a-z0-9]{0,15}' },
  { flags: ['--brand', 'lk'], pattern: 'lk' },
];

const gibibytes = Number(process.argv[2] ?? 1);
const folder = mkdtempSync(join(tmpdir(), 'latchkey-scan-'));
try {
  console.log(`Node ${process.version}, ${cpus().length} cores, ${versionOf(rival())}\n`);
  const logs = write('logs.jsonl', logLines());
  const random = write('random.txt', randomText(''));
  compareSpeed([
    ['a log', logs, FILE_MIB * MIB],
    ['random base62', random, FILE_MIB * MIB],
    ['node_modules', fromRoot('node_modules'), sizeOf(fromRoot('node_modules'))],
  ]);
  console.log(`\nFalse alarms in ${gibibytes} GiB of random base62 text`);
  console.log(`as it is                        ${await falseAlarms('')}`);
  console.log(`with lk_pat_ before each 36     ${await falseAlarms('lk_pat_')}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The faster of the installed search tools. */
function rival() {
  return ['rg', 'grep'].find((name) => spawnSync(name, ['--version']).status === 0) ?? 'none';
}

/** @param {string} command */
function versionOf(command) {
  return spawnSync(command, ['--version'], { encoding: 'utf8' }).stdout?.split('\n', 1)[0] ?? `no ${command}`;
}

/** @param {string} name @param {Iterator<Buffer>} pieces @returns {string} the path of a file of `FILE_MIB` */
function write(name, pieces) {
  const path = join(folder, name);
  const file = openSync(path, 'w');
  for (let piece = 0; piece < FILE_MIB; piece++) writeSync(file, pieces.next().value);
  closeSync(file);
  return path;
}

/** Pieces of one MiB, like the log of a web service. @returns {Generator<Buffer, never>} */
function* logLines() {
  const next = randomNumbers();
  for (let request = 0; ; ) {
    let lines = '';
    while (lines.length < MIB) {
      const id = next().toString(16).padStart(8, '0');
      const line = { level: 30, time: 1_795_312_800_000 + 17 * request++, req_id: id, method: 'GET', status: 200 };
      lines += `${JSON.stringify({ ...line, route: '/api/v1/access-tokens/{token_id}', user_id: next() % 1_000, ms: next() % 97 })}\n`;
    }
    yield Buffer.from(lines.slice(0, MIB));
  }
}

/** Pieces of one MiB, 36 random characters after each `start`. @param {string} start @returns {Generator<Buffer, never>} */
function* randomText(start) {
  const next = randomNumbers();
  const period = start.length + 36;
  for (let written = 0; ; ) {
    const piece = Buffer.allocUnsafe(MIB);
    for (let index = 0; index < MIB; index++, written++) {
      const place = written % period;
      piece[index] = place < start.length ? start.charCodeAt(place) : (ALPHABET[next() % 62] ?? 0);
    }
    yield piece;
  }
}

/** Marsaglia's xorshift with a fixed seed: 32-bit numbers, never 0. */
function randomNumbers() {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Bytes of all files below `folder`. @param {string} folder */
function sizeOf(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}

/** @param {[name: string, path: string, bytes: number][]} inputs */
function compareSpeed(inputs) {
  const rows = [];
  for (const [name, path, bytes] of inputs) {
    for (const { flags, pattern } of BRANDS) {
      const token = `${pattern}_(pat|ses|ref)_[0-9A-Za-z]{36}`;
      const contenders = {
        ours: [process.execPath, fromRoot('dist/cli/main.js'), 'scan', '--no-history', ...flags, path],
        // With binary, ignored and hidden files, as `latchkey scan` reads them.
        rival: rival() === 'rg' ? ['rg', '-auuuco', '--no-messages', token, path] : ['grep', '-raoEc', token, path],
      };
      /** @type {Record<'ours' | 'rival', { speed: number[], cost: number[] }>} */
      const measured = { ours: { speed: [], cost: [] }, rival: { speed: [], cost: [] } };
      for (let round = 0; round <= ROUNDS; round++) {
        for (const contender of /** @type {const} */ (['ours', 'rival'])) {
          const { elapsed, processor } = time(contenders[contender]);
          // The first round reads the files into the page cache.
          if (round === 0) continue;
          measured[contender].speed.push(bytes / 1e3 / elapsed);
          measured[contender].cost.push(processor / (bytes / 1e9));
        }
      }
      const { ours, rival: theirs } = measured;
      rows.push([
        ...[name, flags.at(-1) ?? 'any', spread(ours.speed), spread(theirs.speed)],
        ...[spread(ratios(ours.speed, theirs.speed), 2), spread(ours.cost, 2), spread(theirs.cost, 2)],
      ]);
    }
  }
  console.log(`median (least-most) of ${ROUNDS} rounds\n`);
  const tool = rival();
  const processor = ['latchkey', tool].map((each) => `${each}: processor s/GB`);
  console.log(table(['', 'brand', 'latchkey: MB/s', `${tool}: MB/s`, 'ratio', ...processor], rows));
}

/** The milliseconds that a command takes, and its seconds of processor time. @param {string[]} command */
function time(command) {
  const begin = performance.now();
  // `times` prints the shell's own times and, below them, those of its children.
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', '"$@" >/dev/null; code=$?; times; exit $code', 'sh', ...command],
    {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    },
  );
  const elapsed = performance.now() - begin;
  if (status === null || status > 1) throw new Error(`${command[0]} failed: ${stderr}`);
  const [, , ...times] = [...stdout.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, seconds]) => 60 * Number(minutes) + Number(seconds),
  );
  return { elapsed, processor: times.reduce((sum, seconds) => sum + seconds, 0) };
}

/** Counts the tokens that the scan finds in random text. @param {string} start @returns {Promise<number>} */
async function falseAlarms(start) {
  const scan = spawn(process.execPath, [fromRoot('dist/cli/main.js'), 'scan', '--json', '-'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const output = text(scan.stdout);
  const pieces = randomText(start);
  for (let piece = 0; piece < gibibytes * 1_024; piece++) {
    if (!scan.stdin.write(pieces.next().value)) await once(scan.stdin, 'drain');
  }
  scan.stdin.end();
  const { summary, searched } = JSON.parse(await output);
  if (searched.bytes !== gibibytes * 1_024 * MIB) throw new Error(`only ${searched.bytes} bytes were searched`);
  return summary.tokens;
}
