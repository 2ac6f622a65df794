import { WrongUse } from '../failure.js';
import { note, print } from '../output/print.js';
import { toJson } from '../output/text.js';
import { notLoggedIn, type RemoteFlags } from './connection.js';
import { endToken } from './end-token.js';
import { profileName, readProfile, removeProfile } from './profiles.js';

export interface LogoutFlags extends RemoteFlags {
  forget?: boolean;
}

export async function logout({ profile: flag, forget = false, json = false }: LogoutFlags): Promise<void> {
  const name = profileName(flag);
  const profile = await readProfile(name);
  if (profile === undefined) throw new WrongUse(await notLoggedIn(name));
  // First, so that what cannot be revoked now is not forgotten either.
  const revoked = forget ? false : await endToken(profile);
  await removeProfile(name);
  if (json) {
    print(toJson({ profile: name, url: profile.url, revoked }));
    return;
  }
  print(`logged out of ${profile.url} (profile ${name})`);
  if (!profile.made) note('latchkey: the token was not made by login; it is forgotten here, and still serves');
  else if (forget) note(`latchkey: token ${profile.tokenId} is forgotten here, and still serves until it is revoked`);
}
