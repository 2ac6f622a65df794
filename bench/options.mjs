// @ts-check
import { parseArgs } from 'node:util';

/** The operations, in the order of the tables. */
export const ALL = ['me', 'get', 'verify', 'list 50', 'next 50', 'create', 'revoke'];
const FLAT = ['verify', 'list 50', 'next 50', 'create'];

const SIZES = {
  thousand: { name: '1 thousand', tokens: 1_000, operations: ALL, pages: false },
  million: { name: '1 million', tokens: 1_000_000, operations: FLAT, pages: true },
  tenMillion: { name: '10 million', tokens: 10_000_000, operations: FLAT, pages: true },
};

const HELP = `npm run bench [-- OPTIONS]

  --full                 measure 10 million tokens too, in more and longer rounds
  --rounds N             rounds of each measurement; 3 by default, 11 with --full
  --seconds N            seconds of a round; 0.4 by default, 2 with --full
  --sizes 1,2            sizes of the database: 1 is 1 thousand tokens, 2 is 1 million, 3 is 10 million
  --operations A,B       measure only some of: ${ALL.join(', ')}
  --without A,B          leave contenders out
  --contender NAME=ARGV  add a contender: the arguments of node; {database} is replaced by the path of its database
  --bare                 only compare; skip starts, memory, disk, lastUsedAt and numbered pages
  --publish              write the README's figures and chart, and bench/results/published.json
  --redraw               write the README's figures and chart from bench/results/published.json
  --soak [MINUTES]       send mixed traffic, for 30 minutes by default, and report what grows
  --smoke                only check that all contenders answer alike; takes seconds
  --clean                delete the databases that earlier runs kept
  --help                 print this text`;

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
    /** Repetitions of each measurement that is not under load. */
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
