import { connect, createServer, type Socket } from 'node:net';
import { onEndOfTest, type WhenDone } from './process.js';

/** A proxy in front of a server that can end connections, stop traffic, or lose one answer. */
export interface LossyProxy {
  /** `url` with the proxy's address in place of the server's. */
  url: string;
  /** Ends all connections and rejects new ones until `mend`. */
  cut(): void;
  /** Accepts connections but forwards nothing until `mend`. */
  block(): void;
  /**
   * Ends the connection as soon as the server answers a request that contains `text`, so that the client never gets the
   * answer. Resolves when the server has answered.
   */
  loseAnswerTo(text: string): Promise<void>;
  /** Does the same as soon as an answer contains `text`. */
  loseAnswer(text: string): Promise<void>;
  mend(): void;
}

export async function startProxy(url: string, whenDone: WhenDone = onEndOfTest): Promise<LossyProxy> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'blocked' = 'open';
  /** The text that is waited for, and whether an answer contains it or a request. */
  let awaited: { text: string; isAnswer: boolean } | undefined;
  let whenLost: () => void = () => undefined;

  const server = createServer((near) => {
    if (state === 'cut') {
      near.destroy();
      return;
    }
    const far = connect(Number(port), hostname);
    let isLost = false;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('error', () => undefined);
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.on('data', (bytes) => {
        if (state === 'blocked') return;
        if (awaited?.isAnswer === (from === far) && bytes.includes(awaited.text)) {
          awaited = undefined;
          isLost = true;
        }
        if (from === far && isLost) {
          near.destroy();
          whenLost();
          return;
        }
        to.write(bytes);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  whenDone(() => {
    endAll();
    server.close();
    return Promise.resolve();
  });
  const address = server.address() as { port: number };
  return {
    url: Object.assign(new URL(url), { port: String(address.port) }).href,
    cut() {
      state = 'cut';
      endAll();
    },
    block() {
      state = 'blocked';
    },
    loseAnswerTo(text) {
      awaited = { text, isAnswer: false };
      return new Promise((resolve) => (whenLost = resolve));
    },
    loseAnswer(text) {
      awaited = { text, isAnswer: true };
      return new Promise((resolve) => (whenLost = resolve));
    },
    mend() {
      if (state === 'blocked') endAll();
      state = 'open';
    },
  };
}
