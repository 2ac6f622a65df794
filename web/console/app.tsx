import { Announcements } from './announce.js';
import { Frame } from './frame.js';
import { LoginAgain, LoginPage } from './pages/login.js';
import { Problem } from './parts/problem.js';
import { start, useSession } from './session.js';

export function App() {
  const session = useSession();
  return (
    <>
      {session.state === 'out' && <LoginPage />}
      {session.state === 'failed' && (
        <main class="narrow">
          <Problem error={session.error} retry={() => void start()} />
        </main>
      )}
      {session.state === 'in' && (
        <>
          <Frame key={session.me.user.id} me={session.me} scopes={session.scopes} />
          <LoginAgain email={session.me.user.email ?? ''} />
        </>
      )}
      <Announcements />
    </>
  );
}
