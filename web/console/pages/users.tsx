import { useState } from 'preact/hooks';
import type { User, UserKind } from '../../../client/index.js';
import { useLoad } from '../load.js';
import { ownerName } from '../owner-name.js';
import { Button } from '../parts/button.js';
import { Chips } from '../parts/chips.js';
import { Empty } from '../parts/empty.js';
import { useOpening } from '../parts/opening.js';
import { Page } from '../parts/page.js';
import { Pager } from '../parts/pager.js';
import { Problem } from '../parts/problem.js';
import { Search } from '../parts/search.js';
import { Time } from '../parts/time.js';
import { BASE, navigate, placeWith, usePlace } from '../router.js';
import { lk } from '../service.js';
import { useMe } from '../session.js';
import * as texts from '../words/users.js';
import * as words from '../words.js';
import { ExternalForm } from './owners/external.js';
import { ServiceForm } from './owners/service.js';
import { AddUser, FirstPassword } from './users/add.js';

const KINDS: readonly UserKind[] = ['person', 'service', 'external'];
const UNMANAGED = 'unmanaged';

export function UsersPage() {
  const { me } = useMe();
  const place = usePlace();
  const q = place.query.get('q') ?? '';
  const unmanaged = place.query.get('kind') === UNMANAGED;
  const kind = unmanaged ? 'service' : KINDS.find((each) => each === place.query.get('kind'));
  const cursor = place.query.get('after') ?? '';
  const list = useLoad(
    (signal) =>
      lk.listUsers({
        query: {
          limit: 50,
          ...(kind && { kind }),
          ...(unmanaged && { unmanaged }),
          ...(q !== '' && { q }),
          ...(cursor !== '' && { cursor }),
        },
        signal,
      }),
    [kind, unmanaged, q, cursor],
  );
  const { open: adding, close, button } = useOpening<UserKind>();
  const show = ({ id }: User): void => {
    navigate(`/users/${String(id)}`);
  };
  const [password, setPassword] = useState<string | null>(null);
  return (
    <Page
      title={texts.title}
      lead={<p>{texts.lead}</p>}
      actions={
        <>
          {(kind === undefined ? KINDS : [kind]).map((each, at) =>
            button(each, words.owners.add[each], at === 0 ? 'primary' : undefined),
          )}
        </>
      }
    >
      <Problem error={list.error} retry={list.reload} />
      <Chips
        label={texts.kinds}
        options={[
          [undefined, texts.everyKind],
          ...KINDS.map((each) => [each, texts.kindsOf[each]] as const),
          [UNMANAGED, words.owners.unmanaged],
        ]}
        value={unmanaged ? UNMANAGED : kind}
        choose={(each) => {
          navigate(placeWith(place, { kind: each ?? '', after: '' }));
        }}
      />
      <div class="toolbar">
        <Search
          label={texts.search}
          hint={texts.searchHint}
          value={q}
          change={(text) => {
            navigate(placeWith(place, { q: text, after: '' }), { replace: true });
          }}
        />
      </div>
      {list.data?.items.length === 0 && (
        <Empty title={texts.none}>
          <Button
            onClick={() => {
              navigate('/users');
            }}
          >
            {words.tokens.reset}
          </Button>
        </Empty>
      )}
      {list.data && list.data.items.length > 0 && (
        <table aria-busy={list.isLoading}>
          <caption class="unseen">{texts.caption}</caption>
          <thead>
            <tr>
              <th scope="col" class="name">
                {texts.name}
              </th>
              <th scope="col">{texts.role}</th>
              <th scope="col" class="wide">
                {texts.since}
              </th>
            </tr>
          </thead>
          <tbody>
            {list.data.items.map((user) => (
              <tr key={user.id}>
                <th scope="row">
                  <a href={`${BASE}/users/${String(user.id)}`}>
                    <bdi>{ownerName(user)}</bdi>
                  </a>
                  {user.id === me.user.id && <span class="quiet"> ({texts.you})</span>}
                  {user.fullName !== '' && (
                    <span class="quiet under">
                      <bdi>{user.email}</bdi>
                    </span>
                  )}
                </th>
                <td>
                  {user.disabled ? (
                    <span class="badge disabled">{texts.disabled}</span>
                  ) : user.isAdmin ? (
                    <span class="badge active">{texts.admin}</span>
                  ) : (
                    texts.kindOf[user.kind]
                  )}
                </td>
                <td class="wide">
                  <Time instant={user.createdAt} show="day" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {list.data && <Pager next={list.data.nextCursor} />}
      {password !== null && (
        <FirstPassword
          password={password}
          onClose={() => {
            setPassword(null);
          }}
        />
      )}
      {adding === 'person' && (
        <AddUser
          onClose={close}
          onAdded={(created) => {
            setPassword(created.password);
            list.reload();
          }}
        />
      )}
      {adding === 'service' && <ServiceForm onClose={close} done={show} />}
      {adding === 'external' && <ExternalForm onClose={close} done={show} />}
    </Page>
  );
}
