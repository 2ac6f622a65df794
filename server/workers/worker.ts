import cluster from 'node:cluster';
import type { Config } from '../config/config.js';
import { createWorkerLog } from '../log/log.js';
import type { RunningServer } from '../options.js';
import { start } from '../start.js';
import { type ToPrimary, type ToWorker, toFailure } from './messages.js';
import { createRemoteThrottle } from './shared-throttle.js';

// A worker process, which `primary.ts` starts. Its first message contains the configuration.

const { throttle, receive, end } = createRemoteThrottle(send);
let starting: Promise<RunningServer> | undefined;
let isListening = false;
let isStopping = false;

process.on('message', (message: ToWorker) => {
  switch (message.kind) {
    case 'start':
      starting = serve(message.config);
      break;
    case 'stop':
      void stop();
      break;
    case 'login':
      receive(message);
  }
});
// When the primary ends, requests in flight are still answered. Without this flag, Node would end the process at once.
if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
process.once('disconnect', () => {
  end();
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
    const server = await start({ ...config, log: createWorkerLog(config.logLevel) }, undefined, {
      loginThrottle: throttle,
    });
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

function send(message: ToPrimary): boolean {
  if (!process.connected) return false;
  process.send?.(message, () => undefined);
  return true;
}
