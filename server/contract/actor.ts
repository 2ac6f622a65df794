import type { IncomingMessage } from 'node:http';
import type { Config } from '../config/config.js';
import type { ActorKind } from '../database/index.js';
import { recordedAddress } from '../events/address.js';
import { clientAddress } from '../http/origin.js';
import type { Actor } from '../tokens/actor.js';
import type { Caller } from '../tokens/caller.js';

/** The most characters of a `User-Agent` that are kept. */
const LONGEST_USER_AGENT = 256;

/** The sender of a request. Reads address and user agent only on demand, because most requests change nothing. */
export class RequestActor implements Actor {
  readonly kind: ActorKind;
  readonly caller: Caller | null;
  readonly requestId: string;
  readonly #request: IncomingMessage;
  readonly #config: Readonly<Config>;

  constructor(caller: Caller | null, requestId: string, request: IncomingMessage, config: Readonly<Config>) {
    this.kind = caller === null ? 'anonymous' : caller.tokenType === 'session' ? 'user' : 'token';
    this.caller = caller;
    this.requestId = requestId;
    this.#request = request;
    this.#config = config;
  }

  get address(): string | null {
    return clientAddress(this.#request, this.#config) ?? null;
  }

  get recordedAddress(): string | null {
    return recordedAddress(this.address, this.#config.auditIp);
  }

  get userAgent(): string | null {
    return this.#request.headers['user-agent']?.slice(0, LONGEST_USER_AGENT) ?? null;
  }
}
