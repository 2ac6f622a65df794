// @ts-check

/** Posts to the service and returns the answer's body; throws unless the status is 2xx. @param {string} url @param {object} body @param {string} [token] @returns {Promise<any>} */
export async function post(url, body, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      // The connection is not kept: while SQL fills the database between two calls, the server would close it.
      Connection: 'close',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}
