// @ts-check
import { copyOf } from './databases.mjs';
import { load } from './load.mjs';
import { OPERATIONS, REVOKE } from './operations.mjs';
import { start } from './process.mjs';

/**
 * What one round of one contender measured.
 *
 * @typedef {{ size: string, operation: string, connections: number, contender: string, round: number } &
 *   import('./load.mjs').Round} Figure
 *
 * @typedef {object} Running
 * @property {import('./contenders.mjs').Contender} contender
 * @property {import('./process.mjs').Running[]} servers
 * @property {import('./databases.mjs').RealToken[]} tokens that the contender knows
 * @property {import('./databases.mjs').RealToken[]} created tokens that it can revoke
 * @property {string} copy of the database
 *
 * @typedef {object} Effort
 * @property {number} rounds
 * @property {number} seconds of a round
 * @property {{ requests: number, seconds: number }} warmUp of each operation before its first round; it ends at
 *   either limit. Requests are counted because V8 compiles code after a number of calls, however slow the machine is
 * @property {number[]} connections
 */

/**
 * Loads the contenders in turns, round by round, so that other programs on the machine slow all of them alike.
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
      const { name, argv, foreign, manyCores = false, processes = 1, engine, database: own = database } = contender;
      const copy = engine === undefined ? copyOf(own, folder, name) : await engine.copy(name);
      /** @type {Running} */
      const each = { contender, servers: [], tokens: own.real, created: [], copy };
      running.push(each);
      for (let process = 0; process < processes; process++) {
        each.servers.push(await start({ name, argv: argv(copy) }, manyCores ? undefined : core));
      }
      each.tokens = foreign?.tokens?.(copy) ?? own.real;
    }
    for (const operation of [...OPERATIONS, REVOKE].filter(({ name }) => operations.includes(name))) {
      const taking = running.filter(
        ({ contender: { foreign } }) => foreign === undefined || operation.name in foreign.requests,
      );
      const runs = new Map();
      for (const each of taking) runs.set(each, await toRun(each, operation, effort));
      for (const each of taking) {
        await runs.get(each)(Math.max(...effort.connections), effort.warmUp.seconds, effort.warmUp.requests);
      }
      for (const connections of effort.connections) {
        progress(`${size} tokens, ${operation.name}, ${connections} connections`);
        for (let round = 0; round < effort.rounds; round++) {
          // Another contender begins each round, so that none always follows the same one.
          for (const each of [...taking.slice(round % taking.length), ...taking.slice(0, round % taking.length)]) {
            const measured = await runs.get(each)(connections, effort.seconds);
            const contender = each.contender.name;
            figures.push({ size, operation: operation.name, connections, contender, round, ...measured });
          }
        }
      }
    }
    return figures;
  } finally {
    for (const { contender, servers, copy } of running) {
      for (const server of servers) await server.stop();
      await contender.engine?.remove(copy);
    }
  }
}

/**
 * Returns a function that loads a contender with one operation for a round.
 *
 * @param {Running} running
 * @param {import('./operations.mjs').Operation} operation
 * @param {Effort} effort
 * @returns {Promise<(connections: number, seconds: number, most?: number) => Promise<import('./load.mjs').Round>>}
 */
async function toRun({ contender: { foreign, engine }, servers, tokens: known, created }, operation, effort) {
  const database = engine?.pid;
  const { name, status, prepare } = operation;
  const tokens = prepare === undefined ? known : await prepare(servers[0]?.url ?? '', known);
  const toRequest = foreign?.requests[name] ?? operation.request;
  if (operation !== REVOKE) {
    // Made once, so that making requests does not slow the load.
    const requests = tokens.map((_, index) => toRequest(tokens, index));
    /** @type {import('./load.mjs').Wish['read']} */
    const read =
      name === 'create'
        ? (body, index) => {
            const maker = tokens[index % tokens.length];
            if (maker !== undefined) created.push({ ...maker, id: JSON.parse(body).token.id });
          }
        : undefined;
    return (connections, seconds, most = Number.POSITIVE_INFINITY) => {
      const request = (/** @type {number} */ index) => (index < most ? requests[index % requests.length] : undefined);
      return load(servers, { connections, seconds, status, request, read, database });
    };
  }
  // Each round gets an equal share of the tokens to revoke; a contender that created fewer has shorter rounds.
  const share = Math.floor(created.length / (effort.connections.length * effort.rounds + 1));
  return (connections, seconds) => {
    const some = created.splice(0, share);
    return load(servers, { connections, seconds, status, request: (index) => toRequest(some, index), database });
  };
}
