import type { TokenState } from '../../../client/index.js';
import * as words from '../words.js';

export function StateBadge({ state }: { state: TokenState }) {
  return <span class={`badge ${state}`}>{words.states[state]}</span>;
}
