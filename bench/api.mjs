// @ts-check

/** A call of the service; throws where it is refused. @param {string} url @param {object} body @param {string} [token] @returns {Promise<any>} */
export async function post(url, body, token) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      // Filling a database by SQL in between takes longer than the server keeps an idle connection.
      Connection: 'close',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`POST ${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}
