// @ts-check
import { startServer } from '../../dist/server/index.js';

// Measures `startServer` in a process that has run it before, which is the cost of each test that starts a service.
//
//   node bench/servers/warm-start.mjs DATABASE TIMES

const [, , database, times] = process.argv;
const taken = [];
for (let round = -1; round < Number(times); round++) {
  const begin = performance.now();
  const server = await startServer({ port: 0, database, logLevel: 'silent' });
  const elapsed = performance.now() - begin;
  // The first start loads the modules.
  if (round >= 0) taken.push(elapsed);
  await server.close();
}
console.log(JSON.stringify(taken));
