/** Milliseconds since 1970. The only clock there is, handed to whoever needs it, so that a test can move it. */
export type Now = () => number;
