// @ts-check
import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

// A worker thread that requests `workerData.url` every 20 ms on one connection until it gets a message, and then posts the
// latencies and statuses. In a thread of its own it does not measure the event loop of the load.

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
/** @type {number[]} */
const latencies = [];
/** @type {Record<string, number>} */
const statuses = {};
let stopped = false;
parentPort?.once('message', () => (stopped = true));

while (!stopped) {
  const begin = performance.now();
  const status = await new Promise((resolve) => {
    get(workerData.url, { agent, headers: workerData.headers }, (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode));
    }).once('error', ({ message }) => resolve(message));
  });
  latencies.push(performance.now() - begin);
  statuses[status] = (statuses[status] ?? 0) + 1;
  await sleep(20);
}
agent.destroy();
parentPort?.postMessage({ latencies, statuses });
