// @ts-check
import { writeFileSync } from 'node:fs';

// Preloaded into a watched server: reports once a second how much of V8's heap is in use, which is not visible from outside.

const path = process.env['BENCH_HEAP'];
if (path !== undefined) {
  setInterval(() => writeFileSync(path, String(process.memoryUsage().heapUsed)), 1_000).unref();
}
