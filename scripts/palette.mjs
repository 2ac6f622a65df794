// Makes a PNG with a palette of a PNG of 8 bits a colour, which for a picture of a page is less than half of the size.
import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MOST = 256;

/** @param {Buffer} png @returns {Buffer} */
export function withPalette(png) {
  const { width, height, pixels } = decode(png);
  const counts = new Map();
  for (const color of pixels) counts.set(color, (counts.get(color) ?? 0) + 1);
  const palette = [...counts]
    .sort(([, a], [, b]) => b - a)
    .slice(0, MOST)
    .map(([color]) => color);
  const places = new Map(palette.map((color, at) => [color, at]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < pixels.length; at++) {
    const color = pixels[at];
    let place = places.get(color);
    if (place === undefined) places.set(color, (place = nearest(palette, color)));
    rows[at + Math.floor(at / width) + 1] = place;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 3, 0, 0, 0], 8);
  const colors = Buffer.from(palette.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('PLTE', colors),
    chunk('IDAT', deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function nearest(palette, color) {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 0; at < palette.length; at++) {
    let distance = 0;
    for (const shift of [16, 8, 0]) distance += (((palette[at] >> shift) & 255) - ((color >> shift) & 255)) ** 2;
    if (distance < least) [best, least] = [at, distance];
  }
  return best;
}

/** The pixels of a picture, each as a number 0xRRGGBB. */
function decode(png) {
  const parts = [];
  let [width, height, channels] = [0, 0, 0];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    const content = png.subarray(at + 8, at + 8 + length);
    if (type === 'IHDR') {
      [width, height] = [content.readUInt32BE(0), content.readUInt32BE(4)];
      channels = { 2: 3, 6: 4 }[content[9]] ?? 0;
      if (content[8] !== 8 || channels === 0) throw new TypeError('only RGB and RGBA of 8 bits are read');
    }
    if (type === 'IDAT') parts.push(content);
    at += 12 + length;
  }
  const bytes = inflateSync(Buffer.concat(parts));
  const stride = width * channels;
  let above = new Uint8Array(stride);
  const pixels = [];
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const filter = bytes[start];
    const row = new Uint8Array(bytes.subarray(start + 1, start + 1 + stride));
    for (let x = 0; x < stride; x++) {
      const left = x < channels ? 0 : row[x - channels];
      const corner = x < channels ? 0 : above[x - channels];
      row[x] += [0, left, above[x], (left + above[x]) >> 1, paeth(left, above[x], corner)][filter];
    }
    for (let x = 0; x < stride; x += channels) pixels.push((row[x] << 16) | (row[x + 1] << 8) | row[x + 2]);
    above = row;
  }
  return { width, height, pixels };
}

/** The filter of RFC 2083, section 6.6. */
function paeth(left, above, corner) {
  const guess = left + above - corner;
  const [a, b, c] = [left, above, corner].map((each) => Math.abs(guess - each));
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

function chunk(type, content) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), content]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(content.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
}
