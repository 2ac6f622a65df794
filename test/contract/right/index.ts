import type { AddressInfo } from 'node:net';
import type { ContractOptions } from '../../../contract/index.js';
import { onExpress, onFastify, onHono, onKoa, type Right } from './frameworks.js';
import { ADA, BEN } from './notes.js';
import { documentIn, STYLES, serverIn } from './styles.js';

/** A right server that listens, and with what the contract tests run against it. */
export interface Listening {
  url: string;
  options: Partial<ContractOptions>;
  /** What the contract tests warn of, and rightly. */
  warnings: string[];
  close(): Promise<void>;
}

const made: Record<string, () => Right | Promise<Right>> = {
  Express: onExpress,
  Fastify: onFastify,
  Hono: onHono,
  Koa: onKoa,
  ...Object.fromEntries(
    Object.entries(STYLES).map(([name, style]) => [
      name,
      () => ({ document: documentIn(style), server: serverIn(style), word: style.word, warnings: style.warnings }),
    ]),
  ),
};

/** Right servers by the framework that they are made with, or whose answers they give. */
export const RIGHT = Object.fromEntries(
  Object.entries(made).map(([name, make]) => [
    name,
    async (): Promise<Listening> => {
      const { document, server, close, word, warnings = [] } = await make();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const as = (token: string) => ({ token: word === undefined ? token : `${word} ${token}` });
      return {
        url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
        warnings,
        options: { spec: document, ...as(ADA), other: as(BEN) },
        async close() {
          await close?.();
          server.closeAllConnections();
          server.close();
        },
      };
    },
  ]),
);
