import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { LatchkeyError } from '../../../client/index.js';
import { Dialog } from '../parts/dialog.js';
import { Field } from '../parts/field.js';
import { textOf } from '../parts/form.js';
import { Icon } from '../parts/icon.js';
import { Problem } from '../parts/problem.js';
import { logIn, logOut, useWaiting } from '../session.js';
import * as words from '../words.js';

export function LoginPage() {
  useLayoutEffect(() => {
    document.title = words.title(words.login.title);
  }, []);
  return (
    <main class="login">
      <p class="logo">
        <Icon name="key" />
        {words.brand}
      </p>
      <div class="card">
        <h1>{words.login.title}</h1>
        <LoginForm />
      </div>
      <p>
        <a href="/reference">{words.nav.reference}</a>
      </p>
    </main>
  );
}

/** Asks for the password where a session has ended in the middle of something, which goes on afterwards. */
export function LoginAgain({ email }: { email: string }) {
  const waiting = useWaiting();
  if (waiting === undefined) return null;
  return (
    <Dialog title={words.login.again} onClose={waiting.giveUp}>
      <p>{words.login.againWhy}</p>
      <LoginForm email={email} />
      <p>
        <button type="button" class="link" onClick={() => void logOut()}>
          {words.login.asOther}
        </button>
      </p>
    </Dialog>
  );
}

/** With `email`, only this user may log in. */
function LoginForm({ email }: { email?: string }) {
  const form = useRef<HTMLFormElement>(null);
  const [state, setState] = useState<{ error?: unknown; isRunning: boolean }>({ isRunning: false });
  useEffect(() => {
    form.current?.querySelector<HTMLElement>(email === undefined ? '[name=email]' : '[name=password]')?.focus();
  }, []);
  // Not `useAction`: its calls wait for this very login.
  const submit = async (): Promise<void> => {
    const fields = new FormData(form.current ?? undefined);
    setState({ isRunning: true });
    try {
      await logIn(email ?? textOf(fields, 'email'), textOf(fields, 'password'));
    } catch (error) {
      setState({ isRunning: false, error });
      form.current?.querySelector<HTMLInputElement>('[name=password]')?.select();
    }
  };
  const isWrong = state.error instanceof LatchkeyError && state.error.code === 'unauthorized';
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!state.isRunning) void submit();
      }}
    >
      <Field label={words.login.email}>
        {(control) => (
          <input
            {...control}
            type="email"
            name="email"
            autocomplete="username"
            required
            maxLength={254}
            {...(email !== undefined && { value: email, readOnly: true })}
          />
        )}
      </Field>
      <Field label={words.login.password}>
        {(control) => (
          <input
            {...control}
            type="password"
            name="password"
            autocomplete="current-password"
            required
            maxLength={1024}
          />
        )}
      </Field>
      {isWrong ? (
        <div class="problem" role="alert">
          <p>{words.login.wrong}</p>
        </div>
      ) : (
        <Problem error={state.error} />
      )}
      <button type="submit" class="button primary" disabled={state.isRunning}>
        {words.login.submit}
      </button>
    </form>
  );
}
