// @ts-check

/**
 * A key as /keys sends it.
 *
 * @typedef {object} Key
 * @property {string} id
 * @property {string} name
 * @property {string[]} scopes
 * @property {string} tokenPrefix
 * @property {string | null} expiresAt
 * @property {string | null} lastUsedAt
 * @property {string | null} earlierValidUntil
 */

/** @param {string} id */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const create = /** @type {HTMLFormElement} */ (element('create'));
const secret = /** @type {HTMLDialogElement} */ (element('secret'));
const plaintext = element('plaintext');

/**
 * The Idempotency-Key of each request that has no answer yet. If an answer is lost and the customer clicks again, the repetition gets
 * the same key instead of making a second one.
 *
 * @type {Map<string, string>}
 */
const unanswered = new Map();

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
async function send(method, path, body = {}) {
  const request = `${method} ${path} ${JSON.stringify(body)}`;
  const idempotencyKey = unanswered.get(request) ?? crypto.randomUUID();
  unanswered.set(request, idempotencyKey);
  const response = await fetch(path, {
    method,
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': idempotencyKey },
    ...(method !== 'GET' && { body: JSON.stringify(body) }),
  });
  const answer = response.status === 204 ? {} : await response.json();
  if (response.status < 500) unanswered.delete(request);
  if (response.status === 401) location.assign('/login');
  if (!response.ok) throw new Error(answer.message);
  return answer;
}

/**
 * Does what was clicked, says so, and shows the keys as they are now.
 *
 * @param {() => Promise<string>} action
 */
async function run(action) {
  try {
    element('notice').textContent = await action();
    await show();
  } catch (error) {
    element('notice').textContent = error instanceof Error ? error.message : String(error);
  }
}

async function show() {
  const answer = await send('GET', '/keys');
  element('customer').textContent = answer.customer;
  element('keys').replaceChildren(.../** @type {Key[]} */ (answer.keys).map(rowOf));
}

/** @param {string} text The plaintext, which is nowhere but in the dialog. */
function showOnce(text) {
  plaintext.textContent = text;
  secret.showModal();
}

/** @param {Key} key */
function rowOf(key) {
  const { id, name, scopes, tokenPrefix, expiresAt, lastUsedAt, earlierValidUntil } = key;
  const rotate = buttonOf('Rotate', name, async () => {
    showOnce((await send('POST', `/keys/${id}/rotate`)).plaintext);
    return `Rotated ${name}.`;
  });
  const revoke = buttonOf('Revoke', name, async () => {
    if (!confirm(`Revoke ${name}? Programs that use it stop working at once.`)) return '';
    await send('DELETE', `/keys/${id}`);
    return `Revoked ${name}.`;
  });
  const row = document.createElement('tr');
  const heading = document.createElement('th');
  heading.scope = 'row';
  heading.textContent = name;
  const earlier = earlierValidUntil === null ? '' : ` (the earlier secret: until ${dateOf(earlierValidUntil)})`;
  const cells = [tokenPrefix, scopes.join(', '), dateOf(expiresAt) + earlier, dateOf(lastUsedAt)].map((text) => {
    const cell = document.createElement('td');
    cell.textContent = text;
    return cell;
  });
  const buttons = document.createElement('td');
  buttons.append(rotate, ' ', revoke);
  row.append(heading, ...cells, buttons);
  return row;
}

/**
 * @param {string} text
 * @param {string} name
 * @param {() => Promise<string>} action
 */
function buttonOf(text, name, action) {
  const button = document.createElement('button');
  button.textContent = text;
  button.setAttribute('aria-label', `${text} ${name}`);
  button.addEventListener('click', () => run(action));
  return button;
}

/** @param {string | null} instant */
function dateOf(instant) {
  return instant === null ? 'never' : new Date(instant).toLocaleString();
}

create.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = new FormData(create);
  void run(async () => {
    const body = { name: form.get('name'), scopes: form.getAll('scopes') };
    showOnce((await send('POST', '/keys', body)).plaintext);
    create.reset();
    return `Created ${body.name}.`;
  });
});

element('copy').addEventListener('click', () => navigator.clipboard.writeText(plaintext.textContent));
secret.addEventListener('close', () => plaintext.replaceChildren());

await run(async () => '');
