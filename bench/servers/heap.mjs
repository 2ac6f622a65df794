// @ts-check
import { writeFileSync } from 'node:fs';

// Preloaded into a server that is watched: says once a second how much of V8's heap is in use, which nobody sees from outside.

const path = process.env['BENCH_HEAP'];
if (path !== undefined) {
  setInterval(() => writeFileSync(path, String(process.memoryUsage().heapUsed)), 1_000).unref();
}
