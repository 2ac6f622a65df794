import { useState } from 'preact/hooks';
import type { IssuedAccessToken, TokenLimits, User } from '../../../client/index.js';
import { announce } from '../announce.js';
import { useAction, useLoad } from '../load.js';
import { ownerIn, ownerQuery, useOwner } from '../owner.js';
import { ownerName } from '../owner-name.js';
import { Form } from '../parts/form.js';
import { Page } from '../parts/page.js';
import { messagesFor, Problem } from '../parts/problem.js';
import { TextField } from '../parts/text-field.js';
import { BASE, navigate, usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import { dayOf } from '../times.js';
import * as texts from '../words/create.js';
import * as words from '../words.js';
import { DescriptionField } from './create/description.js';
import { type Expiry, ExpiryField, expiryProblem, firstExpiry, lastDayOf } from './create/expiry.js';
import { TokenSecret } from './create/reveal.js';
import { isScope, ScopesField, scopesFor, wordsIn } from './create/scopes.js';

const FIELDS = ['name', 'description', 'expiresInDays', 'scopes'];

export function CreatePage() {
  const query = ownerIn(usePlace().query);
  const limits = useLoad((signal) => lk.getTokenLimits({ query, signal }), [query.owner]);
  const { data: owner, error } = useOwner(query);
  const title = owner === undefined ? texts.title : texts.titleFor(ownerName(owner));
  const [issued, setIssued] = useState<IssuedAccessToken | undefined>(undefined);
  if (issued !== undefined) {
    return (
      <Page title={issued.token.name}>
        <TokenSecret
          plaintext={issued.plaintext}
          done={() => {
            navigate(`/tokens/${issued.token.id}${ownerQuery(query)}`, { replace: true });
          }}
        />
      </Page>
    );
  }
  return (
    <Page title={title} back={{ href: `${BASE}/tokens${ownerQuery(query)}`, text: words.token.back }}>
      <Problem error={limits.error ?? error} retry={limits.reload} />
      {limits.data && (query.owner === undefined || owner !== undefined) && (
        <CreateForm limits={limits.data} query={query} owner={owner} onCreated={setIssued} />
      )}
    </Page>
  );
}

interface CreateFormProps {
  limits: TokenLimits;
  query: { owner?: number };
  owner: User | undefined;
  onCreated: (issued: IssuedAccessToken) => void;
}

function CreateForm({ limits, query, owner, onCreated }: CreateFormProps) {
  const own = scopesFor(owner, useMe().scopes);
  const [name, setName] = useState('');
  const [description, setDescription] = useState('');
  const [expiry, setExpiry] = useState<Expiry>(() => firstExpiry(limits));
  const [chosen, setChosen] = useState<readonly string[]>(owner === undefined ? ['tokens:read'] : []);
  const [others, setOthers] = useState('');
  const [isChecked, setChecked] = useState(false);

  const otherScopes = wordsIn(others);
  const wrong = otherScopes.find((scope) => !isScope(scope));
  const scopes = [...chosen, ...otherScopes];
  const own_problems = {
    name: name.trim() === '' ? words.required : undefined,
    expiresInDays: expiryProblem(expiry, limits),
    scopes: wrong === undefined ? undefined : texts.malformed(wrong),
  };
  const create = useAction(async () => {
    const body = { name, description, scopes, expiresInDays: expiry.days };
    const made = await lk.createAccessToken({ query, body });
    announce(texts.created(made.token.name));
    onCreated(made);
  });
  const problemOf = (field: 'name' | 'expiresInDays' | 'scopes'): string | undefined =>
    (isChecked ? own_problems[field] : undefined) ?? messagesFor(create.error, field);

  const { maxTokensPerOwner: most, tokenCount: have } = limits;
  const isFull = most !== null && have >= most;
  return (
    <Form
      action={create}
      submit={texts.submit}
      kind="primary"
      fields={FIELDS}
      isReady={!isFull}
      check={() => {
        setChecked(true);
        return Object.values(own_problems).every((problem) => problem === undefined);
      }}
      beside={
        <a class="button" href={`${BASE}/tokens${ownerQuery(query)}`}>
          {words.cancel}
        </a>
      }
    >
      {most !== null && (
        <p class={isFull ? 'notice warn' : 'notice'}>
          {texts.limit(have, most)} {isFull && texts.limitReached}
        </p>
      )}
      <TextField
        label={texts.name}
        hint={texts.nameHint}
        error={problemOf('name')}
        required
        maxLength={255}
        value={name}
        change={setName}
      />
      <DescriptionField value={description} change={setDescription} error={messagesFor(create.error, 'description')} />
      <ExpiryField limits={limits} value={expiry} change={setExpiry} error={problemOf('expiresInDays')} />
      <ScopesField
        own={own}
        chosen={chosen}
        choose={setChosen}
        others={others}
        setOthers={setOthers}
        query={query}
        owner={owner}
        error={problemOf('scopes')}
      />
      <section class="summary">
        <h2>{texts.summary}</h2>
        <p>
          {texts.summaryOf(
            name.trim() === '' ? texts.unnamed : name.trim(),
            scopes.length === 0 ? texts.mayNothing : texts.may(words.list(scopes)),
            untilOf(expiry, limits),
          )}
        </p>
      </section>
    </Form>
  );
}

function untilOf(expiry: Expiry, limits: TokenLimits): string {
  if (expiryProblem(expiry, limits) !== undefined) return '';
  return expiry.days === null ? texts.forever : texts.until(dayOf(lastDayOf(expiry.days)));
}
