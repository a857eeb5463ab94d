/** struct nlmsghdr over bytes, and the macros around it. Kernel: include/uapi/linux/netlink.h. */
import { align4 } from '../../wire/align.ts'
import { NLMSG_HDRLEN } from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'

/** NLMSG_ALIGN(): rounded up to 4. */
export const NLMSG_ALIGN = align4
/** NLMSG_LENGTH(): header and payload, bytes. */
export const NLMSG_LENGTH = (len: number): number => len + NLMSG_HDRLEN
/** NLMSG_SPACE(): the same, rounded up. */
export const NLMSG_SPACE = (len: number): number => align4(NLMSG_LENGTH(len))
/** NLMSG_DATA(): what follows the header. */
export const NLMSG_DATA = (nlh: nlmsghdr): Uint8Array => nlh.bytes.subarray(NLMSG_HDRLEN)

/** struct nlmsghdr: reading and writing its members reads and writes the bytes. */
export class nlmsghdr {
  /** From the header on. */
  readonly bytes: Uint8Array
  /** Where the header is in its buffer. */
  readonly offset: number
  readonly #view: DataView

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes.subarray(offset)
    this.offset = offset
    this.#view = new DataView(bytes.buffer, bytes.byteOffset + offset, bytes.length - offset)
  }
  /** malloc() and memset(): `size` zero bytes, NLMSG_SPACE() of the payload. */
  static alloc(size: number): nlmsghdr {
    return new nlmsghdr(new Uint8Array(size))
  }
  get nlmsg_len(): number {
    return this.#view.getUint32(0, HOST_LE)
  }
  set nlmsg_len(value: number) {
    this.#view.setUint32(0, value, HOST_LE)
  }
  get nlmsg_type(): number {
    return this.#view.getUint16(4, HOST_LE)
  }
  set nlmsg_type(value: number) {
    this.#view.setUint16(4, value, HOST_LE)
  }
  get nlmsg_flags(): number {
    return this.#view.getUint16(6, HOST_LE)
  }
  set nlmsg_flags(value: number) {
    this.#view.setUint16(6, value, HOST_LE)
  }
  get nlmsg_seq(): number {
    return this.#view.getUint32(8, HOST_LE)
  }
  set nlmsg_seq(value: number) {
    this.#view.setUint32(8, value, HOST_LE)
  }
  get nlmsg_pid(): number {
    return this.#view.getUint32(12, HOST_LE)
  }
  set nlmsg_pid(value: number) {
    this.#view.setUint32(12, value, HOST_LE)
  }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** strcpy(): the text and a NUL. @returns bytes written. @throws RangeError when there is no room. */
export function strcpy(to: Uint8Array, text: string): number {
  const bytes = encoder.encode(text)
  if (bytes.length >= to.length) throw new RangeError(`no room for ${bytes.length + 1} bytes`)
  to.set(bytes)
  to[bytes.length] = 0
  return bytes.length + 1
}

/** The text before the first NUL, as `%s` prints it. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end))
}
