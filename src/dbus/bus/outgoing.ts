/**
 * A message on its way to peers: as it came, with the sender that the bus knows.
 *
 * Who sends it may have lent the bytes for as long as it is dispatched: a door has to take what it
 * needs before it returns, and whoever keeps the message for later says so.
 */
import { align } from '../message/align.ts'
import { FIELD_SENDER, FIXED_BYTES, type Header, stampSender } from '../message/index.ts'

const CHAR_S = 0x73
/** Bytes of a header field before a text. */
const BEFORE_TEXT = 8
const NO_TOKENS: readonly bigint[] = []

export class Outgoing {
  readonly header: Header
  /** Tokens of the descriptors that travel with it. */
  readonly tokens: readonly bigint[]
  /** Bytes of the header as it goes out, with its padding, and of the body. */
  readonly headLength: number
  readonly bodyLength: number
  /** What it was read from, and where it begins there. */
  source: Uint8Array
  at: number
  /** What a door has made of it, for other doors of its kind. */
  mark = 0
  markedAt = 0
  #isLent: boolean
  /** The sender's name, to be put behind the other fields; undefined if the header is as it goes out. */
  readonly #sender: Uint8Array | undefined
  #head: Uint8Array | undefined
  #body: Uint8Array | undefined

  private constructor(
    header: Header,
    source: Uint8Array,
    at: number,
    isLent: boolean,
    sender: Uint8Array | undefined,
    head: Uint8Array | undefined,
    tokens: readonly bigint[],
  ) {
    this.header = header
    this.source = source
    this.at = at
    this.tokens = tokens
    this.bodyLength = header.length - header.bodyAt
    this.#isLent = isLent
    this.#sender = sender
    this.#head = head
    this.headLength =
      head?.length ??
      (sender ? align(header.bodyAt + BEFORE_TEXT + sender.length + 1, 8) : header.bodyAt)
  }

  /** The message at `at` in `source`, from a peer of that unique name; `header` gets it too. */
  static from(
    header: Header,
    source: Uint8Array,
    at: number,
    isLent: boolean,
    uniqueName: string,
    nameBytes: Uint8Array,
    tokens: readonly bigint[],
  ): Outgoing {
    const head = header.clean
      ? undefined
      : stampSender(source.subarray(at, at + header.length), header, uniqueName)
    header.sender = uniqueName
    return new Outgoing(header, source, at, isLent, head ? undefined : nameBytes, head, tokens)
  }

  /** A message of the bus's own, which says so. */
  static own(header: Header, message: Uint8Array): Outgoing {
    return new Outgoing(header, message, 0, false, undefined, undefined, NO_TOKENS)
  }

  /** Bytes of all. */
  get length(): number {
    return this.headLength + this.bodyLength
  }

  /** The header as it goes out; the caller's to keep. */
  get head(): Uint8Array {
    if (this.#head === undefined) {
      const head = new Uint8Array(this.headLength)
      this.writeHead(head, 0)
      this.#head = head
    }
    return this.#head
  }

  /** The body; the caller's to keep. */
  get body(): Uint8Array {
    if (this.#body === undefined) {
      const start = this.at + this.header.bodyAt
      const body = this.source.subarray(start, start + this.bodyLength)
      this.#body = this.#isLent ? body.slice() : body
    }
    return this.#body
  }

  /** The message as it came; the caller's to keep. */
  get original(): Uint8Array {
    const { source, at } = this
    const message = source.subarray(at, at + this.header.length)
    return this.#isLent ? message.slice() : message
  }

  /** From now on the bytes are its own. */
  keep(): void {
    if (!this.#isLent) return
    this.source = this.original
    this.at = 0
    this.#isLent = false
  }

  /** Writes the header as it goes out to `at`; `headLength` bytes. */
  writeHead(into: Uint8Array, at: number): void {
    if (this.#head !== undefined) {
      into.set(this.#head, at)
      return
    }
    const { header, source } = this
    const sender = this.#sender
    const end = sender ? header.fieldsEnd : header.bodyAt
    copyBytes(source, this.at, end, into, at)
    if (sender === undefined) return
    into.fill(0, at + end, at + this.headLength)
    const field = at + header.bodyAt
    into[field] = FIELD_SENDER
    into[field + 1] = 1
    into[field + 2] = CHAR_S
    const { length } = sender
    into[field + (header.littleEndian ? 4 : 7)] = length
    for (let i = 0; i < length; i++) into[field + BEFORE_TEXT + i] = sender[i]!
    const fields = header.bodyAt + BEFORE_TEXT + length + 1 - FIXED_BYTES
    write32(into, at + 12, fields, header.littleEndian)
  }

  /** Writes the body to `at`; `bodyLength` bytes. */
  writeBody(into: Uint8Array, at: number): void {
    copyBytes(this.source, this.at + this.header.bodyAt, this.bodyLength, into, at)
  }
}

function write32(into: Uint8Array, at: number, value: number, littleEndian: boolean): void {
  into[at] = littleEndian ? value : value >>> 24
  into[at + 1] = littleEndian ? value >>> 8 : value >>> 16
  into[at + 2] = littleEndian ? value >>> 16 : value >>> 8
  into[at + 3] = littleEndian ? value >>> 24 : value
}

/** Within one array nothing has to be made for it. */
function copyBytes(
  source: Uint8Array,
  from: number,
  length: number,
  into: Uint8Array,
  at: number,
): void {
  if (source === into) into.copyWithin(at, from, from + length)
  else into.set(source.subarray(from, from + length), at)
}
