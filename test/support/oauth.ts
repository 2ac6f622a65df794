import {
  allowInsecureRequests,
  type ClientAuth,
  ClientSecretBasic,
  type IntrospectionRequestOptions,
  introspectionRequest,
  processIntrospectionResponse,
  processRevocationResponse,
  revocationRequest,
} from 'oauth4webapi';
import { createAccessToken, getAccessToken, getMe } from '../../generated/index.js';
import { type RequestParts, send } from './http.js';
import { answered, type Client, SECOND, type Service } from './service.js';

export const INTROSPECT = 'POST /oauth/introspect';
export const REVOKE = 'POST /oauth/revoke';
export const FORM = 'application/x-www-form-urlencoded';
export const BOTH_WAYS = 'Bearer, Basic realm="Latchkey"';
export const BAD_BEARER = 'Bearer error="invalid_token"';
export const BAD_BASIC = 'Basic realm="Latchkey"';

export const bearer =
  (token: string): ClientAuth =>
  (_server, _client, _body, headers) => {
    headers.set('Authorization', `Bearer ${token}`);
  };
export const WAYS: [string, (token: string) => ClientAuth][] = [
  ['Basic', ClientSecretBasic],
  ['bearer', bearer],
];

/** A stock OAuth client. */
export const resourceServer = { client_id: 'https://api.example.org/ resource: server' };
export const authorizationServer = ({ url }: Service) => ({
  issuer: url,
  introspection_endpoint: `${url}/oauth/introspect`,
  revocation_endpoint: `${url}/oauth/revoke`,
});
export const insecure = { [allowInsecureRequests]: true };

export async function introspect(
  service: Service,
  auth: ClientAuth,
  token: string,
  options: IntrospectionRequestOptions = {},
): Promise<unknown> {
  const server = authorizationServer(service);
  const response = await introspectionRequest(server, resourceServer, auth, token, { ...insecure, ...options });
  return await processIntrospectionResponse(server, resourceServer, response);
}

export async function revoke(service: Service, auth: ClientAuth, token: string): Promise<Response> {
  const response = await revocationRequest(authorizationServer(service), resourceServer, auth, token, insecure);
  await processRevocationResponse(response.clone());
  return response;
}

export function sendForm(
  service: Service,
  line: `${string} ${string}`,
  body: string,
  { headers, ...parts }: RequestParts,
) {
  return send(service, line, { ...parts, body, headers: { 'Content-Type': FORM, ...headers } });
}

export function basic(token: string, user = ''): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
}

export async function create(client: Client, expiresInDays: number | null = null) {
  return await answered(createAccessToken({ client, body: { name: 'deploy bot', expiresInDays } }));
}

export function get(client: Client, token_id: string) {
  return answered(getAccessToken({ client, path: { token_id } }));
}

export function toSeconds(instant: string): number {
  return Math.floor(Date.parse(instant) / SECOND);
}

export async function isAccepted(service: Service, token: string): Promise<boolean> {
  return (await getMe({ client: service.as(token) })).response.status === 200;
}
