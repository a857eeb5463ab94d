/**
 * Writer: a message under construction, as sk_buff, nlmsg_put and nla_put build one.
 *
 * Multi-byte writes are in host order unless `le` says otherwise. Padding is always zero.
 */
import { EncodeError } from '../errors.ts'
import { align4 } from './align.ts'
import { NLA_F_NESTED, NLMSG_HDRLEN } from './constants.ts'
import { HOST_LE } from './order.ts'

/** nla_len has 16 bits. */
const MAX_NLA_LEN = 0xffff
/** So few bytes are sooner written one by one than by a call of the engine's. */
const SHORT = 48
const encoder = new TextEncoder()

export class Writer {
  /** Backing store; only the first `length` bytes count. Replaced when it grows. */
  bytes: Uint8Array<ArrayBuffer>
  view: DataView<ArrayBuffer>
  /** Bytes written so far. */
  length = 0

  /** `capacity` is the first allocation in bytes; it doubles when needed. */
  constructor(capacity = 512) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `size` zero bytes; returns where they start. */
  reserve(size: number): number {
    const at = this.claim(size)
    const { bytes } = this
    if (size > SHORT) bytes.fill(0, at, at + size)
    else for (let i = at; i < at + size; i++) bytes[i] = 0
    return at
  }

  /** Makes room for `size` bytes, all of which the caller fills at once; returns where they start. */
  claim(size: number): number {
    const at = this.length
    const end = at + size
    if (end > this.bytes.length) this.grow(end)
    this.length = end
    return at
  }

  private grow(end: number): void {
    const bytes = new Uint8Array(Math.max(end, this.bytes.length * 2))
    bytes.set(this.bytes.subarray(0, this.length))
    this.bytes = bytes
    this.view = new DataView(bytes.buffer)
  }

  u8(value: number): void {
    const at = this.claim(1)
    this.bytes[at] = value
  }
  u16(value: number, le: boolean = HOST_LE): void {
    const at = this.claim(2)
    this.view.setUint16(at, value, le)
  }
  u32(value: number, le: boolean = HOST_LE): void {
    const at = this.claim(4)
    this.view.setUint32(at, value, le)
  }
  u64(value: bigint, le: boolean = HOST_LE): void {
    const at = this.claim(8)
    this.view.setBigUint64(at, value, le)
  }
  put(bytes: Uint8Array): void {
    const { length } = bytes
    const at = this.claim(length)
    const own = this.bytes
    if (length > SHORT) own.set(bytes, at)
    else for (let i = 0; i < length; i++) own[at + i] = bytes[i] as number
  }
  /** UTF-8 and, unless `nul` is false, a NUL behind it. */
  string(value: string, nul = true): void {
    const size = value.length * 3 + 1
    if (this.length + size > this.bytes.length) this.grow(this.length + size)
    const { written } = encoder.encodeInto(value, this.bytes.subarray(this.length))
    this.length += written
    if (nul) this.u8(0)
  }
  /** Pads with zeros to a multiple of 4. */
  pad(): void {
    const size = align4(this.length) - this.length
    if (size) this.reserve(size)
  }

  /** nla_nest_start(), or the beginning of any attribute: returns the mark for `attrEnd`. */
  attrStart(type: number): number {
    const mark = this.claim(4)
    this.view.setUint16(mark + 2, type, HOST_LE)
    return mark
  }
  /**
   * nla_nest_end(): sets nla_len, then pads.
   * @throws EncodeError when the attribute is longer than nla_len can say (65,535 bytes).
   */
  attrEnd(mark: number): void {
    const length = this.length - mark
    if (length > MAX_NLA_LEN)
      throw new EncodeError(`attribute of ${length} bytes; 65535 is the most`)
    this.view.setUint16(mark, length, HOST_LE)
    this.pad()
  }
  /** nla_put_u32(). */
  attrU32(type: number, value: number): void {
    const at = this.claim(8)
    const { view } = this
    view.setUint32(at, HOST_LE ? 8 | (type << 16) : (8 << 16) | type, HOST_LE)
    view.setUint32(at + 4, value, HOST_LE)
  }
  /** nla_put(). */
  attrBytes(type: number, payload: Uint8Array): void {
    const mark = this.attrStart(type)
    this.put(payload)
    this.attrEnd(mark)
  }
  /** nla_put_string(): the NUL is sent too. */
  attrString(type: number, value: string): void {
    const mark = this.attrStart(type)
    this.string(value)
    this.attrEnd(mark)
  }
  /** nla_nest_start() with NLA_F_NESTED. */
  nestStart(type: number): number {
    return this.attrStart(type | NLA_F_NESTED)
  }

  /** nlmsg_put(): a header whose length `messageEnd` sets; returns the mark for it. */
  messageStart(type: number, flags: number, seq: number, portid: number): number {
    const mark = this.claim(NLMSG_HDRLEN)
    this.view.setUint16(mark + 4, type, HOST_LE)
    this.view.setUint16(mark + 6, flags, HOST_LE)
    this.view.setUint32(mark + 8, seq, HOST_LE)
    this.view.setUint32(mark + 12, portid, HOST_LE)
    return mark
  }
  /** nlmsg_end(): sets nlmsg_len; the padding that follows is not part of it. */
  messageEnd(mark: number): void {
    this.view.setUint32(mark, this.length - mark, HOST_LE)
    this.pad()
  }

  /** nlmsg_trim(), nla_nest_cancel(): forgets all behind `mark`. */
  trim(mark: number): void {
    if (mark < this.length) this.length = mark
  }
  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length)
  }
  /** What was written, sharing memory with the writer: valid until the next write. */
  peek(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.length)
  }
}
