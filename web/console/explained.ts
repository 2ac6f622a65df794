/** An error of a page itself, whose message is shown. */
export class Explained extends Error {}
