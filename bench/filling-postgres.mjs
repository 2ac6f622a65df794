// @ts-check
import pg from 'pg';

// Fills in tokens by the million, as filling.mjs does on SQLite. One statement inserts many copies of a row that Latchkey
// wrote, with other values in the columns in which tokens differ.

/** Tokens of each owner but the big one; these owners include those of the real tokens. */
const TOKENS_OF_AN_OWNER = 20;
const IN_A_STATEMENT = 100_000;

/** The values of a new token, by column; `made` is a row with the values that differ between tokens. */
const TOKEN = {
  uuid: "decode(lpad(to_hex(made.at), 12, '0'), 'hex') || substr(uuid_send(gen_random_uuid()), 7)",
  owner_id: 'case when made.number % 10 = 0 then $3 else made.owner_id end',
  name: `(array['deploy', 'backup', 'nightly report', 'laptop', 'ci', 'billing', 'grafana', 'import', 'mobile', 'webhook'])
    [1 + floor(random() * 10)::int] || ' ' || floor(random() * 10000)::int`,
  prefix: "'lk_pat_' || left(encode(made.digest, 'hex'), 5)",
  secret_start: 'substr(made.digest, 1, 4)',
  created_at: 'made.at',
  expires_at: 'case when made.number % 4 > 0 then made.at + (30 + floor(random() * 336)::bigint) * 86400000 end',
  last_used_at: 'case when made.number % 2 > 0 then made.at end',
  revoked_at: 'case when made.number % 20 = 7 then made.at end',
};

/** @type {import('./databases.mjs').OpenFilling} */
export async function openPostgresFilling(url, { bigOwner, tokens }) {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('set synchronous_commit to off');
  const [owner] = await rowsOf('select id from users where email = $1', [bigOwner]);
  const model = 'select id from access_tokens where owner_id = $1 and type = $2 limit 1';
  const [token] = await rowsOf(model, [owner.id, 'pat']);
  const [{ last }] = await rowsOf('select max(id) as last from users', []);
  const few = Math.max(0, Math.floor(tokens / TOKENS_OF_AN_OWNER) - (last - owner.id));
  const email = "'small' || number || '@example.com'";
  await client.query(
    `insert into users (${await namesOf('users')}) select ${await valuesOf('users', { email })}
      from users as model, generate_series(1, $1::int) as number where model.id = $2`,
    [few, owner.id],
  );
  const [{ lastOwner }] = await rowsOf('select max(id) as "lastOwner" from users', []);
  const insert = `
    with made as materialized (
      select number, nextval(pg_get_serial_sequence('access_tokens', 'id')) as id, uuid_send(gen_random_uuid()) as digest,
        (extract(epoch from clock_timestamp()) * 1000)::bigint as at,
        $3::bigint + 1 + floor(random() * ($4::bigint - $3::bigint))::bigint as owner_id
      from generate_series($1::bigint, $2::bigint) as number
    ), token as (
      insert into access_tokens (id, ${await namesOf('access_tokens')})
      select made.id, ${await valuesOf('access_tokens', TOKEN)} from made, access_tokens as model where model.id = $5
    )
    insert into token_secrets (digest, token_id) select digest, id from made`;

  let added = 0;
  return {
    async add(until) {
      for (; added < until; added = Math.min(until, added + IN_A_STATEMENT)) {
        const end = Math.min(until, added + IN_A_STATEMENT) - 1;
        await client.query(insert, [added, end, owner.id, lastOwner, token.id]);
      }
    },
    async close() {
      await client.query('vacuum (analyze)');
      await client.end();
    },
  };

  /** @param {string} text @param {unknown[]} values @returns {Promise<any[]>} */
  async function rowsOf(text, values) {
    return (await client.query(text, values)).rows;
  }

  /** All columns of a table except `id`. @param {string} table @returns {Promise<string[]>} */
  async function columnsOf(table) {
    const rows = await rowsOf(
      `select quote_ident(attname) as name from pg_attribute
        where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> 'id' order by attnum`,
      [table],
    );
    return rows.map(({ name }) => name);
  }

  /** @param {string} table */
  async function namesOf(table) {
    return (await columnsOf(table)).join(', ');
  }

  /** The given expressions, and the model's values in the other columns. @param {string} table @param {Record<string, string>} given */
  async function valuesOf(table, given) {
    return (await columnsOf(table)).map((column) => given[column] ?? `model.${column}`).join(', ');
  }
}
