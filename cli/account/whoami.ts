import { lookOf } from '../output/look.js';
import { relativeAndExact } from '../output/moment.js';
import { print } from '../output/print.js';
import { fields } from '../output/table.js';
import { toJson } from '../output/text.js';
import { type RemoteFlags, withConnection } from './connection.js';
import { userName } from './user-name.js';

export async function whoAmI(flags: RemoteFlags): Promise<void> {
  await withConnection(flags, async ({ client, url, profile }) => {
    const [{ data: me, headers }, token] = await Promise.all([
      client.getMe().withResponse(),
      client.getCurrentAccessToken(),
    ]);
    if (flags.json === true) {
      print(toJson({ profile: profile?.name ?? null, url, me, token }));
      return;
    }
    const { user, session } = me;
    const members = [
      ['user', user.fullName === '' ? userName(user) : `${userName(user)} (${user.fullName})`],
      ['role', user.isAdmin ? 'administrator' : 'user'],
      ['organization', session.organization.name],
      ['service', url],
      ['profile', profile?.name ?? '- (LATCHKEY_TOKEN)'],
      ['token', `${token.tokenPrefix} ${token.name}`],
      // The expiry of the secret that was sent: after a rotation, an earlier secret expires before the token.
      [
        'expires',
        relativeAndExact(headers.get('Latchkey-Token-Expires-At')) +
          (profile?.refreshToken ? ', renewed while it is used' : ''),
      ],
    ] as const;
    print(fields(members, lookOf(flags)));
  });
}
