export type Bytes = AsyncIterable<Uint8Array>;

const NEWLINE = 0x0a;

/** Reads the first `length` bytes (fewer if the stream ends). `all` then yields the whole stream, including them. */
export async function peek(bytes: Bytes, length: number): Promise<{ head: Buffer; all: Bytes }> {
  const rest = bytes[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let head = Buffer.alloc(0);
  let ended = false;
  while (!ended && head.length < length) {
    const { done, value } = await rest.next();
    if (done === true) ended = true;
    else head = Buffer.concat([head, value]);
  }
  async function* all(): Bytes {
    try {
      yield head;
      while (!ended) {
        const { done, value } = await rest.next();
        if (done === true) ended = true;
        else yield value;
      }
    } finally {
      if (!ended) await rest.return?.();
    }
  }
  return { head: head.subarray(0, length), all: all() };
}

/** Reads the whole stream into a buffer. Throws if it has more than `limit` bytes. */
export async function collect(bytes: Bytes, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > limit) throw new Error(`a zip archive inside another archive may have at most ${String(limit)} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** Creates a reader of a stream, by lines and by lengths. At the end of the stream, `pieces` and `take` throw. */
export function readFrom(bytes: Bytes) {
  const chunks = bytes[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>;
  let chunk: Buffer = Buffer.alloc(0);
  let at = 0;

  async function more(): Promise<boolean> {
    const { done, value } = await chunks.next();
    if (done === true) return false;
    const next = Buffer.from(value.buffer, value.byteOffset, value.length);
    chunk = at === chunk.length ? next : Buffer.concat([chunk.subarray(at), next]);
    at = 0;
    return true;
  }

  /** Reads the next `length` bytes, piece by piece. */
  async function* pieces(length: number): AsyncGenerator<Buffer, void> {
    for (let rest = length; rest > 0; ) {
      if (at === chunk.length && !(await more())) throw new Error('unexpected end of file');
      const piece = chunk.subarray(at, at + rest);
      at += piece.length;
      rest -= piece.length;
      yield piece;
    }
  }

  /** Returns the next `length` bytes without consuming them; fewer at the end of the stream. */
  async function peek(length: number): Promise<Buffer> {
    while (chunk.length - at < length && (await more()));
    return chunk.subarray(at, at + length);
  }

  return {
    pieces,
    peek,
    /** Reads the next line, without its newline; undefined if there is none. */
    async line(): Promise<string | undefined> {
      let end = chunk.indexOf(NEWLINE, at);
      while (end < 0) {
        if (!(await more())) return undefined;
        end = chunk.indexOf(NEWLINE, at);
      }
      const line = chunk.toString('latin1', at, end);
      at = end + 1;
      return line;
    },
    /** Reads the next `length` bytes into one buffer. */
    async take(length: number): Promise<Buffer> {
      const taken = Buffer.allocUnsafe(length);
      let copied = 0;
      for await (const piece of pieces(length)) copied += piece.copy(taken, copied);
      return taken;
    },
  };
}
