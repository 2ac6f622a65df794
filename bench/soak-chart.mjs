// @ts-check
import { round, svg } from './chart.mjs';
import { SERIES } from './soak-series.mjs';

const COLUMNS = 2;
const WIDTH = 380;
const HEIGHT = 130;
const LEFT = 44;
const TOP = 34;
const BOTTOM = 22;

/** Draws one small chart for each series, over the same minutes. @param {import('./soak.mjs').Sample[]} samples @param {number} minutes */
export function drawSoak(samples, minutes) {
  const rows = Math.ceil(SERIES.length / COLUMNS);
  const panels = SERIES.map(({ name, label, unit }, index) => {
    const points = samples
      .map((sample) => ({ x: sample.minute / minutes, y: sample[name] / unit }))
      .filter(({ y }) => !Number.isNaN(y));
    const [left, top] = [(index % COLUMNS) * WIDTH, Math.floor(index / COLUMNS) * HEIGHT];
    return `<g transform="translate(${left} ${top})">\n${panel(label, points, minutes)}\n</g>`;
  });
  return svg(COLUMNS * WIDTH, rows * HEIGHT, `${minutes} minutes of mixed traffic`, panels);
}

/** @param {string} label @param {{ x: number, y: number }[]} points x from 0 to 1 @param {number} minutes */
function panel(label, points, minutes) {
  const most = niceAbove(Math.max(...points.map(({ y }) => y), 0));
  const right = WIDTH - 16;
  const bottom = HEIGHT - BOTTOM;
  const toX = (/** @type {number} */ x) => round(LEFT + x * (right - LEFT));
  const toY = (/** @type {number} */ y) => round(bottom - (y / most) * (bottom - TOP));
  return [
    `<text x="${LEFT}" y="20">${label}</text>`,
    `<line class="grid" x1="${LEFT}" x2="${right}" y1="${TOP}" y2="${TOP}"/>`,
    `<line class="grid" x1="${LEFT}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="small" x="${LEFT - 6}" y="${TOP + 4}" text-anchor="end">${most}</text>`,
    `<text class="small" x="${LEFT - 6}" y="${bottom + 4}" text-anchor="end">0</text>`,
    `<text class="small" x="${right}" y="${HEIGHT - 6}" text-anchor="end">${minutes} min</text>`,
    `<polyline class="curve" points="${points.map(({ x, y }) => `${toX(x)},${toY(y)}`).join(' ')}"/>`,
  ].join('\n');
}

/** The next larger 1, 2 or 5 times a power of ten. @param {number} value */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return [1, 2, 5, 10].map((digit) => Number((digit * power).toPrecision(1))).find((nice) => nice >= value) ?? value;
}
