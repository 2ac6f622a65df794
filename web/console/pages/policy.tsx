import type { Policy } from '../../../client/index.js';
import { useLoad } from '../load.js';
import { Details } from '../parts/details.js';
import { Page } from '../parts/page.js';
import { Problem } from '../parts/problem.js';
import { lk } from '../service.js';
import * as texts from '../words/policy.js';
import { ApplyPolicy } from './policy/apply.js';

/** The operator's rules for tokens, and what breaks them. */
export function PolicyPage() {
  const policy = useLoad((signal) => lk.getPolicy({ signal }), []);
  return (
    <Page title={texts.title} lead={<p>{texts.lead}</p>}>
      <Problem error={policy.error} retry={policy.reload} />
      {policy.data && (
        <>
          <Rules policy={policy.data} />
          <Violations policy={policy.data} />
          <ApplyPolicy
            breaking={policy.data.violations.withoutExpiry + policy.data.violations.livingTooLong}
            changed={policy.reload}
          />
        </>
      )}
    </Page>
  );
}

function Rules({ policy }: { policy: Policy }) {
  const { defaultLifetimeDays, maxLifetimeDays, requireExpiry, maxTokensPerOwner } = policy;
  const rules: [string, string, string][] = [
    [
      texts.defaultLifetime,
      'LATCHKEY_DEFAULT_LIFETIME_DAYS',
      defaultLifetimeDays === null ? texts.forever : texts.days(defaultLifetimeDays),
    ],
    [
      texts.maxLifetime,
      'LATCHKEY_MAX_LIFETIME_DAYS',
      maxLifetimeDays === null ? texts.noLimit : texts.days(maxLifetimeDays),
    ],
    [texts.requireExpiry, 'LATCHKEY_REQUIRE_EXPIRY', requireExpiry ? texts.yes : texts.no],
    [
      texts.maxTokens,
      'LATCHKEY_MAX_TOKENS_PER_OWNER',
      maxTokensPerOwner === null ? texts.noLimit : maxTokensPerOwner.toLocaleString(),
    ],
  ];
  return (
    <section class="card">
      <h2>{texts.rules}</h2>
      <p class="quiet">{texts.rulesWhy}</p>
      <Details
        rows={rules.map(([rule, variable, value]) => [
          rule,
          <>
            {value}
            <code class="under quiet">{variable}</code>
          </>,
        ])}
      />
    </section>
  );
}

function Violations({ policy: { violations } }: { policy: Policy }) {
  const { withoutExpiry, livingTooLong, ownersAboveLimit } = violations;
  const counts: [number, string][] = [
    [withoutExpiry, texts.withoutExpiry(withoutExpiry)],
    [livingTooLong, texts.livingTooLong(livingTooLong)],
    [ownersAboveLimit, texts.ownersAboveLimit(ownersAboveLimit)],
  ];
  const broken = counts.filter(([count]) => count > 0);
  return (
    <section class="card">
      <h2>{texts.older}</h2>
      {broken.length === 0 && <p>{texts.olderNone}</p>}
      <ul class="figures">
        {broken.map(([count, text]) => (
          <li key={text}>
            <strong>{count.toLocaleString()}</strong> {text}
          </li>
        ))}
      </ul>
      {ownersAboveLimit > 0 && <p class="quiet">{texts.ownersHint}</p>}
    </section>
  );
}
