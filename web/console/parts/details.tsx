import { type ComponentChildren, Fragment } from 'preact';

interface DetailsProps {
  /** Without those whose content is false, null, undefined or empty. */
  rows: readonly (readonly [name: string, content: ComponentChildren])[];
}

/** What something has, each with its name. */
export function Details({ rows }: DetailsProps) {
  return (
    <dl class="details">
      {rows
        .filter(([, content]) => content !== false && content !== null && content !== undefined && content !== '')
        .map(([name, content]) => (
          <Fragment key={name}>
            <dt>{name}</dt>
            <dd>{content}</dd>
          </Fragment>
        ))}
    </dl>
  );
}

/** The words of a list, such as scopes. */
export function Codes({ of }: { of: readonly string[] }) {
  return (
    <span class="scopes">
      {of.map((each) => (
        <code key={each}>{each}</code>
      ))}
    </span>
  );
}

/** Metadata; false if there are none. */
export function pairsOf(metadata: Readonly<Record<string, string>>): ComponentChildren {
  const pairs = Object.entries(metadata);
  return (
    pairs.length > 0 && (
      <ul>
        {pairs.map(([key, value]) => (
          <li key={key}>
            <code>{key}</code> <bdi>{value}</bdi>
          </li>
        ))}
      </ul>
    )
  );
}
