import { dayOf, exactlyOf, relativeOf, shortlyOf } from '../times.js';

interface TimeProps {
  instant: string;
  /** `relative` is such as `in 3 days`, `day` the date, `short` the date and the time. */
  show?: 'relative' | 'day' | 'short';
}

const TEXTS = { relative: relativeOf, day: dayOf, short: shortlyOf };

/** An instant in words. The exact one is there on hover, and for screen readers. */
export function Time({ instant, show = 'relative' }: TimeProps) {
  const exact = exactlyOf(instant);
  return (
    <time dateTime={instant} title={exact}>
      {TEXTS[show](instant)}
      <span class="unseen"> ({exact})</span>
    </time>
  );
}
