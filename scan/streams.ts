export type Bytes = AsyncIterable<Uint8Array>;

const NEWLINE = 0x0a;

/** The first `length` bytes, or all where there are fewer, and then everything. */
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

/** Everything in one piece. Throws where that is more than `limit` bytes. */
export async function collect(bytes: Bytes, limit: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of bytes) {
    length += piece.length;
    if (length > limit) throw new Error(`a zip archive in another archive may have ${String(limit)} bytes at most`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces, length);
}

/** Reads what a stream gives by lines and by lengths. What asks for more than there is rejects, but for `line` and `peek`. */
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

  /** The next bytes, piece by piece. */
  async function* pieces(length: number): AsyncGenerator<Buffer, void> {
    for (let rest = length; rest > 0; ) {
      if (at === chunk.length && !(await more())) throw new Error('unexpected end of file');
      const piece = chunk.subarray(at, at + rest);
      at += piece.length;
      rest -= piece.length;
      yield piece;
    }
  }

  /** The next few bytes, which stay where they are; fewer at the end. */
  async function peek(length: number): Promise<Buffer> {
    while (chunk.length - at < length && (await more()));
    return chunk.subarray(at, at + length);
  }

  return {
    pieces,
    peek,
    /** The next line without its end; undefined where there is none. */
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
    /** The next bytes in one piece. */
    async take(length: number): Promise<Buffer> {
      const taken = Buffer.allocUnsafe(length);
      let copied = 0;
      for await (const piece of pieces(length)) copied += piece.copy(taken, copied);
      return taken;
    },
  };
}
