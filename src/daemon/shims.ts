/** The programs behind the preload shim: their sockets by inode, and their control connections. */
import { isNetlinkError } from '../errors.ts'
import type { Credentials } from '../kernel/credentials.ts'
import type { SocketOps } from '../kernel/netlink/ops.ts'
import {
  AT_A,
  AT_B,
  AT_C,
  AT_RESULT,
  EINVAL,
  EPROTO,
  MAGIC,
  VERSION,
} from '../transport/wire-protocol.ts'
import type { Server } from './server.ts'
import { ShimControl } from './shim-control.ts'
import { ShimFiles } from './shim-files.ts'
import {
  AT_ANSWER_PORTID,
  AT_FLAGS,
  AT_SOCKET,
  OP_CONTROL,
  OP_DATA,
  SHIM_ANSWER_SIZE,
  SHIM_REQUEST_SIZE,
} from './shim-protocol.ts'
import { ShimSocket } from './shim-socket.ts'

const ESOCKTNOSUPPORT = -94
const SOCK_DGRAM = 2
const SOCK_RAW = 3

/** socket(2): a socket of `protocol` in the namespace of that name. @throws NetlinkError */
export type OpenOps = (
  netns: string,
  type: number,
  protocol: number,
  credentials: Credentials,
) => SocketOps

/** ioctl(2) on an interface, by a socket of `domain`. */
export interface Ioctl {
  readonly netns: string
  readonly domain: number
  readonly request: number
  /** Is changed. */
  readonly argument: Uint8Array
  readonly current: Credentials
}

export class Shims {
  readonly #server: Server
  readonly #open: OpenOps
  readonly ioctl: (ioctl: Ioctl) => number
  readonly files: ShimFiles
  readonly #owner: number
  readonly #sockets = new Map<number, ShimSocket>()
  readonly #controls = new Set<ShimControl>()
  /** Sends that wait for room. */
  waiting = 0

  constructor(server: Server, open: OpenOps, ioctl: (ioctl: Ioctl) => number, owner: number) {
    this.files = new ShimFiles(server)
    this.ioctl = ioctl
    this.#server = server
    this.#open = open
    this.#owner = owner
  }
  /** Connections. */
  get size(): number {
    return this.#sockets.size + this.#controls.size
  }

  /**
   * The first packet of a connection, in the server's buffer, if it is the shim's: the connection
   * is ours then.
   */
  admit(fd: number, credentials: Credentials, size: number): boolean {
    const { request, requestView: view } = this.#server
    const op = request[0]
    if ((op !== OP_DATA && op !== OP_CONTROL) || view.getUint32(AT_A, true) !== MAGIC) return false
    const result = view.getUint32(AT_B, true) === VERSION ? 0 : EPROTO
    if (result === 0 && size < SHIM_REQUEST_SIZE) return false
    if (result < 0) this.#refuse(fd, result)
    else if (op === OP_DATA) this.#admitData(fd, credentials, size)
    else if (this.#answer(fd, 0))
      this.#controls.add(new ShimControl(this.#server, fd, credentials, this.#netns(size)))
    return true
  }
  #admitData(fd: number, credentials: Credentials, size: number): void {
    const { requestView: view } = this.#server
    const inode = view.getUint32(AT_SOCKET, true) + view.getUint32(AT_SOCKET + 4, true) * 2 ** 32
    const type = view.getUint8(AT_FLAGS)
    const netns = this.#netns(size)
    try {
      if (type !== SOCK_RAW && type !== SOCK_DGRAM) this.#refuse(fd, ESOCKTNOSUPPORT)
      else if (this.#sockets.has(inode)) this.#refuse(fd, EINVAL)
      else {
        const ops = this.#open(netns, type, view.getInt32(AT_C, true), credentials)
        if (!this.#answer(fd, 0)) ops.close()
        else this.#sockets.set(inode, new ShimSocket(this.#server, fd, inode, credentials.uid, ops))
      }
    } catch (error) {
      this.#refuse(fd, isNetlinkError(error) ? (error.errno ?? EINVAL) : EINVAL)
    }
  }
  /** The name of a namespace that the first packet ends with. */
  #netns(size: number): string {
    return new TextDecoder().decode(this.#server.request.subarray(SHIM_REQUEST_SIZE, size))
  }
  #refuse(fd: number, errno: number): void {
    if (this.#answer(fd, errno)) this.#server.native.close(fd)
  }
  /** @returns whether it could be answered; otherwise it is closed. */
  #answer(fd: number, result: number): boolean {
    const packet = new Uint8Array(SHIM_ANSWER_SIZE)
    const view = new DataView(packet.buffer)
    packet[0] = 1
    view.setInt32(AT_RESULT, result, true)
    view.setUint32(AT_ANSWER_PORTID, VERSION, true)
    if (this.#server.native.send(fd, packet) >= 0) return true
    this.#server.native.close(fd)
    return false
  }

  /**
   * The socket whose data connection has that inode, for a process that may hold it: of the same
   * user, or root, or the kernel's owner.
   */
  find(inode: number, { uid }: Credentials): ShimSocket | undefined {
    const socket = this.#sockets.get(inode)
    return socket && (uid === socket.uid || uid === 0 || uid === this.#owner) ? socket : undefined
  }
  forget(socket: ShimSocket): void {
    if (this.#sockets.get(socket.inode) === socket) this.#sockets.delete(socket.inode)
  }
  forgetControl(control: ShimControl): void {
    this.#controls.delete(control)
  }
  /** Ends them all. */
  close(): void {
    for (const socket of [...this.#sockets.values()]) socket.close()
    for (const control of [...this.#controls]) control.close()
  }
}
