import { navigate, placeWith, usePlace } from '../router.js';
import * as words from '../words.js';
import { Button } from './button.js';

/** Links to the pages beside this one of a list. The cursors of earlier pages are kept in the history. */
export function Pager({ next }: { next: string | null }) {
  const place = usePlace();
  const cursor = place.query.get('after') ?? '';
  const previous = place.before.at(-1);
  if (next === null && cursor === '') return null;
  const go = (after: string, before: readonly string[]): void => {
    navigate(placeWith(place, { after }), { before });
    scrollTo(0, 0);
  };
  return (
    <nav class="pager" aria-label={words.tokens.pages}>
      <Button
        isDisabled={cursor === ''}
        onClick={() => {
          go(previous ?? '', place.before.slice(0, -1));
        }}
      >
        {words.tokens.previous}
      </Button>
      <Button
        isDisabled={next === null}
        onClick={() => {
          go(next ?? '', [...place.before, cursor]);
        }}
      >
        {words.tokens.next}
      </Button>
    </nav>
  );
}
