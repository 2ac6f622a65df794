import { createLatchkey, type Latchkey, LatchkeyError } from '../../client/index.js';
import { Refused, WrongUse } from '../failure.js';
import { visible } from '../output/text.js';
import { listProfiles, type Profile, profileName, readProfile, variable } from './profiles.js';

/** Flags of every command that asks a service. */
export interface RemoteFlags {
  profile?: string;
  insecureHttp?: boolean;
  json?: boolean;
  color?: boolean;
}

/** The service, and as whom it is asked. */
export interface Connection {
  client: Latchkey;
  url: string;
  /** The profile that the token is from; undefined where it is `LATCHKEY_TOKEN`. */
  profile: (Profile & { name: string }) | undefined;
}

/** Runs `work` with the service that the flags, the environment and the profile point at. */
export async function withConnection<T>(flags: RemoteFlags, work: (to: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(flags);
  const { url, profile } = connection;
  const credential = profile === undefined ? 'LATCHKEY_TOKEN' : `the token of profile ${profile.name}`;
  const unauthorized = `${credential} opens nothing: it is unknown, expired, revoked or disabled`;
  return await explaining({ url, unauthorized }, () => work(connection));
}

/** A flag counts more than the environment, the environment more than the profile that is used without either. */
async function connect({ profile: flag, insecureHttp = false }: RemoteFlags): Promise<Connection> {
  const token = flag === undefined ? variable('LATCHKEY_TOKEN') : undefined;
  const wanted = flag === undefined ? variable('LATCHKEY_URL') : undefined;
  if (token !== undefined) {
    const url = wanted ?? (await readProfile(profileName(flag)))?.url;
    if (url === undefined) throw new WrongUse('LATCHKEY_TOKEN needs LATCHKEY_URL, the service to send it to');
    return { client: clientOf(url, token, insecureHttp), url, profile: undefined };
  }
  const name = profileName(flag);
  const profile = await readProfile(name);
  if (profile === undefined) throw new WrongUse(await notLoggedIn(name));
  if (wanted !== undefined && checkedUrl(wanted) !== profile.url) {
    throw new WrongUse(
      `LATCHKEY_URL is not ${profile.url}, which profile ${name} is for, and its token is sent nowhere else: set LATCHKEY_TOKEN too`,
    );
  }
  const client = clientOf(profile.url, profile.token, profile.insecureHttp || insecureHttp);
  return { client, url: profile.url, profile: { ...profile, name } };
}

/** A client of the service at `url`, over plain http only to this machine or where the user accepts it. */
export function clientOf(url: string, token: string | undefined, allowInsecureHttp: boolean): Latchkey {
  const baseUrl = checkedUrl(url);
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) {
    throw new WrongUse('the token has characters that no token has');
  }
  try {
    return createLatchkey({ baseUrl, token, allowInsecureHttp });
  } catch (error) {
    if (!(error instanceof TypeError) || allowInsecureHttp) throw error;
    throw new WrongUse(
      `${baseUrl} is plain http, which would show the token to everyone on the way: use https, or --insecure-http`,
    );
  }
}

/** As the client has it. Never shows a URL that is refused: it may hold a password. */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const extra = url === undefined ? '' : url.username + url.password + url.search + url.hash;
  if (url === undefined || !/^https?:$/.test(url.protocol) || extra !== '') {
    throw new WrongUse("the service's URL must be like https://tokens.example.org, without user, password or query");
  }
  return url.href.replace(/\/+$/, '');
}

/**
 * Runs `work` and states what the client rejects with as one line. What the service answers with 4xx is a refusal; where
 * it does not answer, or not as a Latchkey does, nothing is known of what was asked.
 */
export async function explaining<T>(
  { url, unauthorized }: { url: string; unauthorized?: string },
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LatchkeyError)) throw error;
    const { code, requestId, retryAfterSeconds } = error;
    const told = code === 'unauthorized' && unauthorized !== undefined ? unauthorized : visible(error.message);
    const wait = retryAfterSeconds === undefined ? '' : `; try again in ${String(Math.ceil(retryAfterSeconds))} s`;
    const id = requestId === undefined ? '' : ` (request ${visible(requestId)})`;
    const message = told.replace(/\.$/, '') + wait + id;
    throw UNANSWERED.has(code) ? new WrongUse(`${url}: ${message}`) : new Refused(message);
  }
}

const UNANSWERED: ReadonlySet<LatchkeyError['code']> = new Set([
  'internal_error',
  'network_error',
  'service_unavailable',
  'timeout',
  'unexpected_answer',
]);

/** What to say where a profile is missing. */
export async function notLoggedIn(name: string): Promise<string> {
  const others = await listProfiles();
  const known = others.length === 0 ? '' : `; there are: ${others.join(', ')}`;
  return `nobody is logged in as profile ${name}: see latchkey login --help, or set LATCHKEY_URL and LATCHKEY_TOKEN${known}`;
}
