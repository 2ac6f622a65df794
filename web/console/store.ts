import { useEffect, useState } from 'preact/hooks';

/** A value that several components show. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  /** The value, for a component, which is drawn again with each change. */
  use(): T;
}

export function createStore<T>(first: T): Store<T> {
  let current = first;
  const listeners = new Set<(value: T) => void>();
  return {
    get: () => current,
    set(value) {
      current = value;
      for (const listener of listeners) listener(value);
    },
    use() {
      const [value, setValue] = useState(() => ({ current }));
      useEffect(() => {
        const listener = (next: T): void => {
          setValue({ current: next });
        };
        // The value may have changed since the component was drawn.
        listener(current);
        listeners.add(listener);
        return () => void listeners.delete(listener);
      }, []);
      return value.current;
    },
  };
}
