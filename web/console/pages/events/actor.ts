import type { EventActor } from '../../../../client/index.js';
import * as words from '../../words.js';

/** Who did something, in words. */
export function actorOf({ kind, email }: EventActor): string {
  if (email !== null) return email;
  if (kind === 'cli') return words.token.cli;
  return kind === 'system' ? words.token.system : words.token.somebody;
}
