// @ts-check
import { parseArgs } from 'node:util';

/** Operations. */
export const ALL = ['me', 'get', 'verify', 'list 50', 'next 50', 'create', 'revoke'];
const FLAT = ['verify', 'list 50', 'next 50', 'create'];

const SIZES = {
  thousand: { name: '1 thousand', tokens: 1_000, operations: ALL, pages: false },
  million: { name: '1 million', tokens: 1_000_000, operations: FLAT, pages: true },
  tenMillion: { name: '10 million', tokens: 10_000_000, operations: FLAT, pages: true },
};

const HELP = `npm run bench [-- OPTIONS]

  --full               10 million tokens too, and more rounds
  --rounds N           so many, instead of 3 or 11
  --seconds N          as long each, instead of 0.4 or 2
  --sizes 1,2          1 thousand, 1 million or 10 million tokens: 1, 2, 3
  --operations A,B     of ${ALL.join(', ')}
  --without A,B        leave contenders out
  --contender NAME=ARGV  one more: what Node runs, {database} in it stands for its database's path
  --bare               the comparison alone, without starts, memory, disk, lastUsedAt and numbered pages
  --publish            write what the README shows: its figures, the chart, and bench/results/published.json
  --redraw             README and chart once more, from bench/results/published.json
  --soak [MINUTES]     mixed traffic for 30 minutes, to see whether anything grows
  --smoke              only whether all answer alike, within seconds
  --clean              delete the databases that earlier runs have kept
  --help`;

/** @param {string[]} args */
export function readOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      sizes: { type: 'string' },
      operations: { type: 'string' },
      without: { type: 'string', default: '' },
      contender: { type: 'string', multiple: true, default: [] },
      bare: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      redraw: { type: 'boolean', default: false },
      soak: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    process.exit();
  }
  const { full, clean, smoke } = values;
  const without = values.without.toLowerCase().split(',');
  const numbers = (values.sizes ?? (full ? '1,2,3' : '1,2')).split(',').map(Number);
  const wished = values.operations?.split(',');
  const sizes = [SIZES.thousand, SIZES.million, SIZES.tenMillion]
    .filter((_, index) => numbers.includes(index + 1))
    .map((size) => ({ ...size, operations: size.operations.filter((name) => wished?.includes(name) ?? true) }));
  return {
    clean,
    smoke,
    soakMinutes: values.soak ? Number(positionals[0] ?? 30) : undefined,
    publish: values.publish,
    redraw: values.redraw,
    aside: !values.bare,
    contenders: values.contender.map(toContender),
    sizes,
    without,
    /** Of all that is no comparison under load. */
    repetitions: full ? 21 : 5,
    effort: {
      rounds: Number(values.rounds ?? (full ? 11 : 3)),
      seconds: Number(values.seconds ?? (full ? 2 : 0.4)),
      warmUp: { requests: full ? 30_000 : 8_000, seconds: full ? 5 : 2 },
      connections: [64, 1],
    },
  };
}

/** @param {string} text @returns {import('./contenders.mjs').Contender} */
function toContender(text) {
  const [name = '', ...rest] = text.split('=');
  const words = rest.join('=').split(' ');
  return { name, argv: (database) => words.map((word) => word.replace('{database}', database)) };
}
