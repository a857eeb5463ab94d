/** Paths of Unix sockets, as bind(2) and connect(2) take them. */
import { NetlinkError } from '../errors.ts'
import { HOST_LE } from '../wire/order.ts'

export const AF_UNIX = 1
export const SOCK_STREAM = 1
export const SOCK_SEQPACKET = 5
/** Bytes of sun_path, its NUL included. */
const SUN_PATH = 108

/** struct sockaddr_un. @throws NetlinkError NETLINK_INVALID, ENAMETOOLONG */
export function unixAddress(path: string): Uint8Array {
  const bytes = new TextEncoder().encode(path)
  if (bytes.length === 0 || bytes.includes(0))
    throw new NetlinkError('NETLINK_INVALID', {
      message: `${JSON.stringify(path)} is no path of a socket`,
    })
  if (bytes.length >= SUN_PATH)
    throw new NetlinkError('ENAMETOOLONG', {
      message: `${path} has ${bytes.length} bytes; a socket's path has at most ${SUN_PATH - 1}`,
      hint: 'a shorter path, or one below the current directory',
    })
  const address = new Uint8Array(2 + bytes.length + 1)
  new DataView(address.buffer).setUint16(0, AF_UNIX, HOST_LE)
  address.set(bytes, 2)
  return address
}

/** The same of an abstract name, without its first NUL. @throws NetlinkError ENAMETOOLONG */
export function abstractAddress(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name)
  if (bytes.length === 0 || bytes.length >= SUN_PATH)
    throw new NetlinkError('ENAMETOOLONG', { message: `abstract name of ${bytes.length} bytes` })
  const address = new Uint8Array(3 + bytes.length)
  new DataView(address.buffer).setUint16(0, AF_UNIX, HOST_LE)
  address.set(bytes, 3)
  return address
}
