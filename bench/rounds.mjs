// @ts-check
import { copyOf } from './databases.mjs';
import { load } from './load.mjs';
import { OPERATIONS, REVOKE } from './operations.mjs';
import { start } from './process.mjs';

/**
 * One contender's turn.
 *
 * @typedef {{ size: string, operation: string, connections: number, contender: string, round: number } &
 *   import('./load.mjs').Round} Figure
 *
 * @typedef {object} Running
 * @property {import('./contenders.mjs').Contender} contender
 * @property {import('./process.mjs').Running} server
 * @property {import('./databases.mjs').RealToken[]} created what it can be told to revoke
 *
 * @typedef {object} Effort
 * @property {number} rounds
 * @property {number} seconds of a round
 * @property {number} warmUp seconds of each operation before the first
 * @property {number[]} connections
 */

/**
 * Loads the contenders one after the other, round by round, so that a noisy machine hits all alike.
 *
 * @param {string} size
 * @param {import('./databases.mjs').Database} database
 * @param {import('./contenders.mjs').Contender[]} contenders
 * @param {string[]} operations
 * @param {Effort} effort
 * @param {{ folder: string, core: string | undefined, progress: (line: string) => void }} setting
 * @returns {Promise<Figure[]>}
 */
export async function compare(size, database, contenders, operations, effort, { folder, core, progress }) {
  /** @type {Running[]} */
  const running = [];
  /** @type {Figure[]} */
  const figures = [];
  try {
    for (const contender of contenders) {
      const argv = contender.argv(copyOf(database, folder, contender.name));
      running.push({ contender, server: await start({ name: contender.name, argv }, core), created: [] });
    }
    for (const operation of [...OPERATIONS, REVOKE].filter(({ name }) => operations.includes(name))) {
      const taking = running.filter(({ contender }) => contender.operations?.includes(operation.name) ?? true);
      const runs = new Map(taking.map((each) => [each, toRun(each, operation, database.real, effort)]));
      for (const each of taking) await runs.get(each)?.(Math.max(...effort.connections), effort.warmUp);
      for (const connections of effort.connections) {
        progress(`${size} tokens, ${operation.name}, ${connections} connections`);
        for (let round = 0; round < effort.rounds; round++) {
          // Another one begins each round: whoever follows the same neighbour each time could gain or lose by it.
          for (const each of [...taking.slice(round % taking.length), ...taking.slice(0, round % taking.length)]) {
            const measured = await runs.get(each)?.(connections, effort.seconds);
            if (measured === undefined) continue;
            const contender = each.contender.name;
            figures.push({ size, operation: operation.name, connections, contender, round, ...measured });
          }
        }
      }
    }
    return figures;
  } finally {
    for (const { server } of running) await server.stop();
  }
}

/**
 * What loads a contender with an operation, time after time.
 *
 * @param {Running} running
 * @param {import('./operations.mjs').Operation} operation
 * @param {import('./databases.mjs').RealToken[]} real
 * @param {Effort} effort
 * @returns {(connections: number, seconds: number) => Promise<import('./load.mjs').Round>}
 */
function toRun({ server, created }, operation, real, effort) {
  const { status } = operation;
  if (operation !== REVOKE) {
    // Made once: what the load costs itself is not to be seen.
    const requests = real.map((_, index) => operation.request(real, index));
    /** @type {import('./load.mjs').Wish['read']} */
    const read =
      operation.name === 'create'
        ? (body, index) => {
            const maker = real[index % real.length];
            if (maker !== undefined) created.push({ ...maker, id: JSON.parse(body).token.id });
          }
        : undefined;
    const request = (/** @type {number} */ index) => requests[index % requests.length];
    return (connections, seconds) => load(server, { connections, seconds, status, request, read });
  }
  // Each round gets as many, so that the last ones have some too: of a contender that makes fewer, rounds are shorter.
  const share = Math.floor(created.length / (effort.connections.length * effort.rounds + 1));
  return (connections, seconds) => {
    const some = created.splice(0, share);
    return load(server, { connections, seconds, status, request: (index) => operation.request(some, index) });
  };
}
