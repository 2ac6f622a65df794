export interface Connection {
  baseUrl: string;
  token: string;
}

interface AccessToken {
  id: string;
  name: string;
  expiresAt: string | null;
}

const DAY = 86_400_000;
const TRIES = 3;

/**
 * Returns the token to use from now on. If the token of `connection`, whose name is `name`, expires within a week of `now`,
 * creates a new token with the same name and revokes all others with this name, including any whose answer was lost.
 * Otherwise returns the token of `connection`.
 */
export async function renewToken(connection: Connection, name: string, now = Date.now()): Promise<string> {
  const earlier = await tokensCalled(connection, name);
  const last = Math.min(...earlier.map(({ expiresAt }) => (expiresAt === null ? Infinity : Date.parse(expiresAt))));
  if (last - now > 7 * DAY) return connection.token;

  const body = JSON.stringify({ name, expiresInDays: 30 });
  const created = await call(connection, 'POST', '/api/v1/access-tokens', body);
  const { plaintext, token } = (await created.json()) as { plaintext: string; token: AccessToken };
  const renewed = { ...connection, token: plaintext };
  for (const { id } of await tokensCalled(renewed, name)) {
    if (id !== token.id) await call(renewed, 'DELETE', `/api/v1/access-tokens/${id}`);
  }
  return plaintext;
}

async function tokensCalled(connection: Connection, name: string): Promise<AccessToken[]> {
  const page = await call(connection, 'GET', '/api/v1/access-tokens?tokenType=pat&limit=100');
  const { items } = (await page.json()) as { items: AccessToken[] };
  return items.filter((token) => token.name === name);
}

/** Sends a request, up to `TRIES` times if the service is busy or the connection is lost. */
async function call({ baseUrl, token }: Connection, method: string, path: string, body?: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  for (let left = TRIES - 1; ; left--) {
    const answer = await fetch(baseUrl + path, { method, headers, ...(body !== undefined && { body }) }).catch(
      (error: unknown) => {
        if (left === 0) throw error;
      },
    );
    if (answer?.ok === true) return answer;
    const mayPass = answer === undefined || answer.status === 429 || answer.status >= 500;
    if (left === 0 || !mayPass) throw new Error(`${method} ${path}: ${String(answer?.status)}`);
  }
}
