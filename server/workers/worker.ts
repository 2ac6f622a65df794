import cluster from 'node:cluster';
import type { Config } from '../config/config.js';
import { createWorkerLog } from '../log/log.js';
import type { RunningServer } from '../options.js';
import { start } from '../start.js';
import { type ToPrimary, type ToWorker, toFailure } from './messages.js';

// A worker process, which `primary.ts` starts. Its first message contains the configuration.

let starting: Promise<RunningServer> | undefined;
let isListening = false;
let isStopping = false;

process.on('message', (message: ToWorker) => {
  if (message.kind === 'start') starting = serve(message.config);
  else void stop();
});
// When the primary ends, requests in flight are still answered. Without this flag, Node would end the process at once.
if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
process.once('disconnect', () => {
  if (!isListening) process.exit(1);
  void stop();
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1);
    void stop();
  });
}

// A closed standard error must not stop the service.
process.stderr.on('error', () => undefined);

send({ kind: 'up' });

async function serve(config: Readonly<Config>): Promise<RunningServer> {
  try {
    const server = await start({ ...config, log: createWorkerLog(config.logLevel) });
    isListening = true;
    send({ kind: 'listening', url: server.url, firstUser: server.firstUser });
    return server;
  } catch (error) {
    process.send?.({ kind: 'failed', failure: toFailure(error) } satisfies ToPrimary, () => process.exit(1));
    return await new Promise(() => undefined);
  }
}

async function stop(): Promise<void> {
  isStopping = true;
  try {
    await (await starting)?.close();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`latchkey: could not stop cleanly: ${String(error)}\n`);
    process.exit(1);
  }
}

function send(message: ToPrimary): void {
  if (process.connected) process.send?.(message, () => undefined);
}
