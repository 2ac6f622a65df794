import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { ask } from './session.js';

/** What a page has asked the service for. The last answer stays until the next one is there, so that nothing jumps. */
export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  /** Asks again. */
  reload(): void;
  /** Replaces the answer, for example by what a change returned. */
  replace(data: T): void;
}

/** Asks the service when the component appears, and again when one of `inputs` changes. */
export function useLoad<T>(load: (signal: AbortSignal) => Promise<T>, inputs: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ data: T | undefined; error: unknown; isLoading: boolean }>({
    data: undefined,
    error: undefined,
    isLoading: true,
  });
  const [round, setRound] = useState(0);
  useEffect(() => {
    const leaving = new AbortController();
    setState((last) => ({ ...last, isLoading: true }));
    const done = (change: { data: T; error: undefined } | { error: unknown }): void => {
      if (!leaving.signal.aborted) setState((last) => ({ ...last, ...change, isLoading: false }));
    };
    ask(() => load(leaving.signal)).then(
      (data) => {
        done({ data, error: undefined });
      },
      (error: unknown) => {
        done({ error });
      },
    );
    return () => {
      leaving.abort();
    };
  }, [...inputs, round]);
  const reload = useCallback(() => {
    setRound((last) => last + 1);
  }, []);
  const replace = useCallback((data: T) => {
    setState({ data, error: undefined, isLoading: false });
  }, []);
  return { ...state, reload, replace };
}

/** Whether the first answer is there, or an error in its place. */
export function isAnswered({ data, error }: Loaded<unknown>): boolean {
  return data !== undefined || error !== undefined;
}

/** A change that a button makes: once at a time, with its error. */
export interface Action<Input extends unknown[]> {
  run(...input: Input): void;
  isRunning: boolean;
  error: unknown;
  /** Forgets the error. */
  clear(): void;
}

export function useAction<Input extends unknown[]>(act: (...input: Input) => Promise<void>): Action<Input> {
  const [state, setState] = useState<{ isRunning: boolean; error: unknown }>({ isRunning: false, error: undefined });
  const latest = useRef(act);
  latest.current = act;
  const running = useRef(false);
  const run = useCallback((...input: Input) => {
    if (running.current) return;
    running.current = true;
    setState({ isRunning: true, error: undefined });
    const done = (error: unknown): void => {
      running.current = false;
      setState({ isRunning: false, error });
    };
    ask(() => latest.current(...input)).then(() => {
      done(undefined);
    }, done);
  }, []);
  const clear = useCallback(() => {
    setState((last) => ({ ...last, error: undefined }));
  }, []);
  return { ...state, run, clear };
}
