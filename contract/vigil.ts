import { isSecured, isUnsafe } from './document/model.js';
import type { CaseInfo, Exchange } from './exchange.js';
import type { Credential } from './http/draft.js';

/**
 * Watches whether the server still answers and still accepts the run's own credential. It asks only when an answer
 * raises the doubt, because asking after each part would be every tenth request of a run.
 */
export interface Vigil {
  /** Names the part of the run that begins. */
  begin(part: string): void;
  /** Looks at an exchange. Resolves with false if it shows that the credential is no longer valid. */
  saw(exchange: Omit<Exchange, 'findings'>, info: CaseInfo): Promise<boolean>;
  /** Asks the server, if `always` or if the last request got no answer. Resolves with false if the run cannot go on. */
  check(always: boolean): Promise<boolean>;
  /** What secured operations answered to the run's own credential, if all have rejected it; undefined if one has not. */
  rejections(): string | undefined;
}

/** The run's own credential, and how to find out whether the server accepts it. */
interface Watched {
  main: Credential | undefined;
  stateOf(credential: Credential): Promise<'accepted' | 'rejected' | 'no answer' | 'unknown'>;
}

/** `lose` is called once, with the check and the message of the fault. */
export function createVigil(
  credentials: Watched,
  lose: (check: 'credential' | 'answer', message: string) => void,
): Vigil {
  let part = '';
  /** The part whose last change may have ended the credential, because nothing has proved it valid since. */
  let suspect: string | undefined;
  let isSilent = false;
  let isLost = false;
  let isOpen = false;
  const rejected = new Map<string, number>();

  async function ask(): Promise<boolean> {
    const { main } = credentials;
    if (isLost || main === undefined) return !isLost;
    let state = await credentials.stateOf(main);
    if (state === 'no answer') state = await credentials.stateOf(main);
    isSilent = false;
    if (state !== 'rejected' && state !== 'no answer') {
      suspect = undefined;
      return true;
    }
    isLost = true;
    if (state === 'rejected') lose('credential', `the run's credential became invalid in the ${suspect ?? part}`);
    else lose('answer', `the server no longer answers after the ${part}`);
    return false;
  }

  return {
    begin(name) {
      part = name;
    },
    async saw({ draft: { operation, credential }, answer }, { expectation = 'accepted' }) {
      isSilent = answer === undefined;
      if (answer === undefined || credentials.main === undefined || isLost) return !isLost;
      const isOwn = credential?.with === credentials.main && isSecured(operation);
      if (isOwn && (answer.status === 401 || answer.status === 403)) rejected.set(operation.id, answer.status);
      else if (isOwn) isOpen = true;
      if (answer.status < 400 && isUnsafe(operation)) suspect = part;
      else if (answer.status < 400 && isOwn) suspect = undefined;
      const isDoubtful = answer.status === 401 && isOwn && (expectation === 'accepted' || expectation === 'rejected');
      return isDoubtful ? await ask() : true;
    },
    rejections() {
      if (isOpen || rejected.size === 0) return undefined;
      return [...rejected].map(([id, status]) => `${id} answers ${String(status)}`).join(', ');
    },
    check: (always) => (always || isSilent ? ask() : Promise.resolve(!isLost)),
  };
}
