import * as words from '../words.js';
import { Choices } from './choices.js';

/** Seconds; time enough to replace a secret everywhere. */
export const USUAL_GRACE = 86_400;

const OPTIONS = Object.entries(words.graces).map(([seconds, text]) => [Number(seconds), text] as const);

/** When the secret before a rotation ends, in seconds from now. */
export function GraceField(props: { legend: string; value: number; change: (seconds: number) => void }) {
  return <Choices {...props} options={OPTIONS} />;
}
