import { useAreManagedKnown, useManaged } from '../managed.js';
import { ownerName } from '../owner-name.js';
import { Codes } from '../parts/details.js';
import { Empty } from '../parts/empty.js';
import { Page } from '../parts/page.js';
import { BASE } from '../router.js';
import * as texts from '../words/owners.js';
import * as words from '../words.js';

/** The services that the user manages. */
export function ServicesPage() {
  const services = useManaged();
  return (
    <Page title={texts.services} lead={<p>{texts.servicesLead}</p>}>
      {useAreManagedKnown() && services.length === 0 && (
        <Empty title={texts.noServices}>
          <p>{texts.noServicesWhat}</p>
        </Empty>
      )}
      {services.length > 0 && (
        <table>
          <caption class="unseen">{texts.services}</caption>
          <thead>
            <tr>
              <th scope="col" class="name">
                {texts.name}
              </th>
              <th scope="col">{texts.ceiling}</th>
            </tr>
          </thead>
          <tbody>
            {services.map((service) => (
              <tr key={service.id}>
                <th scope="row">
                  <a href={`${BASE}/tokens?owner=${String(service.id)}`}>
                    <bdi>{ownerName(service)}</bdi>
                  </a>{' '}
                  {service.disabled && <span class="badge disabled">{words.users.disabled}</span>}
                </th>
                <td>
                  <Ceiling scopes={service.scopes} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Page>
  );
}

/** The scopes that tokens of a service can have. */
export function Ceiling({ scopes }: { scopes: readonly string[] | null }) {
  if (scopes === null) return <>{texts.anyScopes}</>;
  if (scopes.length === 0) return <>{words.none}</>;
  return <Codes of={scopes} />;
}
