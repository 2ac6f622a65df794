// @ts-check
import { BETTER_AUTH, FASTIFY, FLOOR, LATCHKEY } from './contenders.mjs';
import { median, ratios } from './figures.mjs';
import { valuesOf } from './report.mjs';

// Draws the README's bar chart: requests per second as a share of the floor's. The SVG has no scripts or fonts, and
// follows the reader's light or dark colour scheme.

/** @typedef {import('./rounds.mjs').Figure} Figure */

const WIDTH = 760;
const LEFT = 150;
const RIGHT = 60;
const BAR = 14;
const GAP = 3;
const GROUP_GAP = 14;
const TOP = 64;

export const STYLE = `
  text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .small { font-size: 11px; fill: #59636e }
  .line { stroke: #59636e; stroke-width: 1; fill: none }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .ours { fill: #0969da } .theirs { fill: #afb8c1 } .slow { fill: #d4a72c }
  .curve { stroke: #0969da; stroke-width: 1.5; fill: none }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .line { stroke: #9198a1 } .grid { stroke: #3d444d }
    .ours { fill: #4493f8 } .theirs { fill: #656c76 } .slow { fill: #9e6a03 } .curve { stroke: #4493f8 }
  }`;

const SHOWN = [
  { contender: LATCHKEY, style: 'ours' },
  { contender: FASTIFY, style: 'theirs' },
  { contender: BETTER_AUTH, style: 'slow' },
];
const LABELS = {
  verify: 'verify a token',
  get: 'get one token',
  'list 50': 'list 50 tokens',
  create: 'create a token',
  revoke: 'revoke a token',
};

/** @param {Figure[]} figures @param {{ size: string, connections: number }} which */
export function drawChart(figures, { size, connections }) {
  const groups = Object.entries(LABELS).map(([operation, label]) => {
    const cell = figures.filter(
      (each) => each.size === size && each.operation === operation && each.connections === connections,
    );
    const base = valuesOf(cell, FLOOR, 'rate');
    const bars = SHOWN.map((shown) => ({
      ...shown,
      share: median(ratios(valuesOf(cell, shown.contender, 'rate'), base)),
    }));
    return { label, bars: bars.filter(({ share }) => !Number.isNaN(share)) };
  });
  const most = Math.max(1.2, ...groups.flatMap(({ bars }) => bars.map(({ share }) => share)));
  const toX = (/** @type {number} */ share) => LEFT + (share / most) * (WIDTH - LEFT - RIGHT);

  let y = TOP;
  const drawn = groups.map(({ label, bars }) => {
    const middle = y + (bars.length * (BAR + GAP)) / 2 + 3;
    const parts = [`<text x="${LEFT - 12}" y="${round(middle)}" text-anchor="end">${label}</text>`];
    for (const { style, share } of bars) {
      parts.push(
        `<rect class="${style}" x="${LEFT}" y="${y}" width="${round(toX(share) - LEFT)}" height="${BAR}" rx="2"/>`,
      );
      parts.push(`<text class="small" x="${round(toX(share) + 6)}" y="${y + BAR - 3}">${share.toFixed(2)}</text>`);
      y += BAR + GAP;
    }
    y += GROUP_GAP;
    return parts.join('\n');
  });
  const height = y + 14;
  const floor = round(toX(1));
  const title = `Requests per second, ${connections} connections, ${size} tokens`;
  return svg(WIDTH, height, title, [
    `<text class="title" x="16" y="24">${title}</text>`,
    ...legend(),
    `<line class="line" x1="${floor}" x2="${floor}" y1="${TOP - 6}" y2="${y - GROUP_GAP + 4}" stroke-dasharray="3 3"/>`,
    `<text class="small" x="${floor}" y="${y + 4}" text-anchor="middle">1 = the floor: node:http and prepared statements</text>`,
    ...drawn,
  ]);
}

function legend() {
  return SHOWN.map(({ contender, style }, index) => {
    const x = 16 + index * 100;
    return `<rect class="${style}" x="${x}" y="36" width="10" height="10" rx="2"/><text class="small" x="${x + 15}" y="45">${contender}</text>`;
  });
}

/** @param {number} width @param {number} height @param {string} title @param {string[]} parts */
export function svg(width, height, title, parts) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${title}</title>`,
    `<style>${STYLE}\n</style>`,
    ...parts,
    '</svg>\n',
  ].join('\n');
}

/** @param {number} value */
export function round(value) {
  return Math.round(value * 10) / 10;
}
