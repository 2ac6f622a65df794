import { Page } from '../parts/page.js';
import { BASE } from '../router.js';
import * as words from '../words.js';

export function MissingPage() {
  return (
    <Page title={words.missing.title} lead={<p>{words.missing.why}</p>}>
      <p>
        <a href={BASE}>{words.missing.home}</a>
      </p>
    </Page>
  );
}
