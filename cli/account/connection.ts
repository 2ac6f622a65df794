import type { Latchkey } from '../../client/index.js';
import { WrongUse } from '../failure.js';
import { variable } from '../variables.js';
import { listProfiles, type Profile, profileName, readProfile } from './profiles.js';
import { checkedUrl, clientOf, explaining } from './service.js';
import { renewingFetch } from './session.js';

/** Flags of every command that calls a service. */
export interface RemoteFlags {
  profile?: string;
  insecureHttp?: boolean;
  json?: boolean;
  color?: boolean;
}

/** A client of the service, and where its token comes from. */
export interface Connection {
  client: Latchkey;
  url: string;
  /** Profile that the token comes from; undefined if it is `LATCHKEY_TOKEN`. */
  profile: (Profile & { name: string }) | undefined;
}

/** Runs `work` with the service and token that the flags, the environment or the profile define. */
export async function withConnection<T>(flags: RemoteFlags, work: (to: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(flags);
  const { url, profile } = connection;
  const invalid = 'is not valid: it is unknown, expired, revoked or disabled';
  const unauthorized =
    profile === undefined
      ? `LATCHKEY_TOKEN ${invalid}`
      : profile.refreshToken === null
        ? `the token of profile ${profile.name} ${invalid}`
        : `the login of profile ${profile.name} has ended: log in again`;
  return await explaining({ url, unauthorized }, () => work(connection));
}

/** A flag overrides the environment, and the environment overrides the default profile. */
async function connect({ profile: flag, insecureHttp = false }: RemoteFlags): Promise<Connection> {
  const token = flag === undefined ? variable('LATCHKEY_TOKEN') : undefined;
  const wanted = flag === undefined ? variable('LATCHKEY_URL') : undefined;
  if (token !== undefined) {
    const url = wanted ?? (await readProfile(profileName(flag)))?.url;
    if (url === undefined) throw new WrongUse('LATCHKEY_TOKEN needs LATCHKEY_URL, the URL of the service');
    return { client: clientOf(url, token, insecureHttp), url, profile: undefined };
  }
  const name = profileName(flag);
  const profile = await readProfile(name);
  if (profile === undefined) throw new WrongUse(await notLoggedIn(name));
  if (wanted !== undefined && checkedUrl(wanted) !== profile.url) {
    throw new WrongUse(
      `LATCHKEY_URL is not ${profile.url}, the only service that the token of profile ${name} is sent to: unset LATCHKEY_URL, or set LATCHKEY_TOKEN too`,
    );
  }
  let current = profile;
  const fetch = renewingFetch(name, profile, (renewed) => {
    current = renewed;
  });
  const client = clientOf(profile.url, () => current.token, profile.insecureHttp || insecureHttp, fetch);
  return { client, url: profile.url, profile: { ...profile, name } };
}

/** The message for a missing profile, with the names of those that exist. */
export async function notLoggedIn(name: string): Promise<string> {
  const others = await listProfiles();
  const known = others.length === 0 ? '' : `; existing profiles: ${others.join(', ')}`;
  return `profile ${name} is not logged in: use latchkey login, or set LATCHKEY_URL and LATCHKEY_TOKEN${known}`;
}
