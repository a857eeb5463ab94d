/** The transport to the live kernel: AF_NETLINK sockets, through the native addon. */
import { errnoName } from '../errno.ts'
import { NetlinkError } from '../errors.ts'
import {
  AF_NETLINK,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_DROP_MEMBERSHIP,
  SOL_NETLINK,
} from '../wire/constants.ts'
import { HOST_LE } from '../wire/order.ts'
import { loadAddon } from './addon.ts'
import {
  type Bytes,
  type NativeSocket,
  TRIP_BUFFER,
  TRIP_FD,
  TRIP_IS_PLAIN,
  TRIP_LENGTH,
  TRIP_REQUEST,
  TRIP_RESULT,
  TRIP_WORDS,
} from './native-socket.ts'
import { socketIn } from './netns.ts'
import {
  invalid,
  isUnsigned,
  type OptionValue,
  optionValue,
  optionValues,
  SO_DETACH_FILTER,
  SO_RCVBUF,
  SOL_SOCKET,
} from './options.ts'
import { PIN_TRIP, PINS, Pins } from './pins.ts'
import { type Readiness, readinessOf, type Watch } from './readiness.ts'
import type { Address, Socket, SocketInit, SocketOptions, Transport } from './transport.ts'

const SOCK_RAW = 3
/** struct sockaddr_nl: u16 family, u16 pad, u32 portid, u32 groups. */
const SOCKADDR_NL = 12
/** Groups that a destination's 32-bit mask can name. */
const MASK_GROUPS = 32
/** Parts that sendmsg(2) takes: UIO_MAXIOV. */
const PARTS_MAX = 1024
const EINVAL = -22
const ENOBUFS = -105

/** Pins: the sender with a namespace id, the sender without, then buffers. */
const FROM_ALL = 0
const FROM_SENDER = 1
/** No pin: only the kernel can have sent it. */
const FROM_KERNEL = -1
const PIN_BUFFERS = 2

/** Opens sockets to the kernel that this process runs on. */
export function afNetlink(load: () => NativeSocket = loadAddon): Transport {
  return {
    async open(init) {
      return openSocket(liveOf(load()), init)
    },
  }
}

/** What the sockets of one JavaScript thread share. */
interface Live {
  readonly native: NativeSocket
  readonly readiness: Readiness
  /** Who sent the last datagram: portid, group, namespace id. */
  readonly from: Uint32Array
  /** What `roundTrip` is told, and answers. */
  readonly trip: Int32Array
  readonly received: Pins
  readonly sent: Pins
}

const live = Symbol.for('nlkit.live')

/** Kept with the addon, which a second copy of this module in the same thread shares. */
function liveOf(native: NativeSocket & { [live]?: Live }): Live {
  if (native[live] === undefined) {
    const from = new Uint32Array(3)
    native.pin(FROM_ALL, from)
    native.pin(FROM_SENDER, from.subarray(0, 2))
    const trip = new Int32Array(TRIP_WORDS)
    trip[TRIP_IS_PLAIN] = process.env.NLKIT_IO_URING === '0' ? 1 : 0
    native.pin(PIN_TRIP, trip)
    const half = (PINS - PIN_BUFFERS) / 2
    native[live] = {
      native,
      readiness: readinessOf(native),
      from,
      trip,
      received: new Pins(native, PIN_BUFFERS, half),
      sent: new Pins(native, PIN_BUFFERS + half, half),
    }
  }
  return native[live]
}

function openSocket(shared: Live, init: SocketInit): Socket {
  const { native } = shared
  const { protocol, portid = 0, groups = [] } = init
  if (!isUnsigned(protocol, 0x7fffffff)) throw invalid(`${protocol} is no netlink protocol`)
  if (!isUnsigned(portid, 0xffffffff)) throw invalid(`${portid} is no port id`)
  const options = optionValues(init.options)
  const fd = newDescriptor(native, protocol, init.netns)
  try {
    const socket = new NetlinkSocket(shared, fd, protocol)
    for (const option of options) socket.set(option)
    socket.bind(portid)
    if (init.kernelOnly) socket.connectToKernel()
    for (const group of groups) socket.member(NETLINK_ADD_MEMBERSHIP, group)
    return socket
  } catch (error) {
    native.close(fd)
    throw error
  }
}

function newDescriptor(native: NativeSocket, protocol: number, netns: unknown): number {
  const fd =
    netns === undefined
      ? native.socket(AF_NETLINK, SOCK_RAW, protocol)
      : socketIn(native, netns, [AF_NETLINK, SOCK_RAW, protocol])
  return check(fd, 'socket', (code) => {
    if (code === 'EPROTONOSUPPORT') return `this kernel has no netlink protocol ${protocol}`
    return code === 'EMFILE' ? 'sockets left open, or: ulimit -n' : undefined
  })
}

/** `result`, or what a negative one says. */
function check(
  result: number,
  syscall: string,
  hint?: (code: string) => string | undefined,
): number {
  if (result >= 0) return result
  const code = errnoName(result)
  throw new NetlinkError(code, { syscall, hint: hint?.(code) })
}

function optionHint(name: keyof SocketOptions, code: string): string | undefined {
  if (code === 'ENOPROTOOPT') return `this kernel does not have the option ${name}`
  if (code !== 'EPERM') return undefined
  return name === 'receiveBufferForce'
    ? 'needs CAP_NET_ADMIN; receiveBuffer does not, and goes up to net.core.rmem_max'
    : `${name} needs CAP_NET_BROADCAST`
}

class NetlinkSocket implements Socket {
  readonly protocol: number
  portid = 0
  receiveBuffer = 0
  senderPortid = 0
  senderGroup = 0
  senderNsid = -1
  readonly #live: Live
  readonly #native: NativeSocket
  readonly #sender: Uint32Array
  readonly #watch: Watch
  /** -1 once closed, which system calls answer with EBADF. */
  #fd: number
  /** How much about the sender we ask for. */
  #from: typeof FROM_ALL | typeof FROM_SENDER | typeof FROM_KERNEL = FROM_SENDER
  #isConnected = false
  #hasGroups = false
  #pktinfo = false
  #allNsid = false
  #lastReceived: Uint8Array | undefined
  #lastSent: Uint8Array | undefined

  constructor(shared: Live, fd: number, protocol: number) {
    this.#live = shared
    this.#native = shared.native
    this.#sender = shared.from
    this.#watch = shared.readiness.watch(fd)
    this.#fd = fd
    this.protocol = protocol
    this.#readReceiveBuffer()
  }

  bind(portid: number): void {
    const address = new Uint8Array(SOCKADDR_NL)
    const view = new DataView(address.buffer)
    view.setUint16(0, AF_NETLINK, HOST_LE)
    view.setUint32(4, portid, HOST_LE)
    check(this.#native.bind(this.#fd, address), 'bind', (code) =>
      code === 'EADDRINUSE' ? `port id ${portid} is taken; 0 lets the kernel choose` : undefined,
    )
    check(this.#native.getsockname(this.#fd, address), 'getsockname')
    this.portid = view.getUint32(4, HOST_LE)
  }

  /**
   * Makes the kernel refuse what other ports send us (netlink_getsockbyportid()). What came before
   * that cannot be an answer to us: it is thrown away.
   */
  connectToKernel(): void {
    const address = new Uint8Array(SOCKADDR_NL)
    new DataView(address.buffer).setUint16(0, AF_NETLINK, HOST_LE)
    check(this.#native.connect(this.#fd, address), 'connect')
    let received: number
    do received = this.#native.receive(this.#fd, address)
    while (received >= 0 || received === ENOBUFS)
    this.#isConnected = true
    this.#chooseFrom()
  }

  #chooseFrom(): void {
    if (this.#pktinfo || this.#allNsid) this.#from = FROM_ALL
    else this.#from = this.#isConnected && !this.#hasGroups ? FROM_KERNEL : FROM_SENDER
    this.senderNsid = -1
  }

  send(parts: readonly Uint8Array[], to?: Address): number {
    const bytes = this.#outgoing(parts)
    if (to === undefined) return this.#native.send(this.#fd, bytes)
    const { portid = 0, group = 0 } = to
    if (group < 0 || group > MASK_GROUPS) return EINVAL
    return this.#native.send(this.#fd, bytes, portid, group === 0 ? 0 : 1 << (group - 1))
  }

  receive(buffer: Uint8Array): number {
    const bytes = this.#incoming(buffer)
    if (this.#from === FROM_KERNEL) return this.#native.receive(this.#fd, bytes)
    const length = this.#native.receive(this.#fd, bytes, this.#from)
    if (length >= 0) this.#readSender()
    return length
  }

  receiveMany(buffer: Uint8Array, size: number, slots: Uint32Array): number {
    if (this.#from !== FROM_KERNEL) return 0
    return this.#native.receiveMany(this.#fd, buffer, size, slots, 1)
  }

  exchange(parts: readonly Uint8Array[], buffer: Uint8Array): number {
    const request = this.#outgoing(parts)
    const bytes = this.#incoming(buffer)
    if (this.#from === FROM_KERNEL) return this.#native.exchange(this.#fd, request, bytes)
    const length = this.#native.exchange(this.#fd, request, bytes, this.#from)
    if (length >= 0) this.#readSender()
    return length
  }

  exchangeFirst(bytes: Uint8Array, length: number, buffer: Uint8Array): number {
    if (this.#from !== FROM_KERNEL) return this.exchange([bytes.subarray(0, length)], buffer)
    const { sent, trip } = this.#live
    const request = sent.find(bytes, this.#lastSent)
    this.#lastSent = bytes
    const room = this.#incoming(buffer)
    if (typeof request !== 'number' || typeof room !== 'number')
      return this.#native.exchange(this.#fd, bytes.subarray(0, length), room)
    trip[TRIP_FD] = this.#fd
    trip[TRIP_REQUEST] = request
    trip[TRIP_LENGTH] = length
    trip[TRIP_BUFFER] = room
    this.#native.roundTrip()
    return trip[TRIP_RESULT] as number
  }

  #outgoing(parts: readonly Uint8Array[]): Bytes | readonly Uint8Array[] {
    if (parts.length !== 1) return parts.length > PARTS_MAX ? joined(parts) : parts
    const bytes = parts[0]!
    const last = this.#lastSent
    this.#lastSent = bytes
    return this.#live.sent.find(bytes, last)
  }

  #incoming(buffer: Uint8Array): Bytes {
    const last = this.#lastReceived
    this.#lastReceived = buffer
    return this.#live.received.find(buffer, last)
  }

  #readSender(): void {
    this.senderPortid = this.#sender[0]!
    this.senderGroup = this.#sender[1]!
    if (this.#from === FROM_ALL) this.senderNsid = this.#sender[2]! | 0
  }

  readable(signal?: AbortSignal): Promise<void> {
    return this.#watch.wait(signal)
  }

  async setOption<K extends keyof SocketOptions>(
    name: K,
    value: NonNullable<SocketOptions[K]>,
  ): Promise<void> {
    this.set(optionValue(name, value))
  }

  async attachFilter(program?: Uint8Array): Promise<void> {
    this.#assertOpen()
    const result = program
      ? this.#native.attachFilter(this.#fd, program)
      : this.#native.setsockopt(this.#fd, SOL_SOCKET, SO_DETACH_FILTER, 0)
    check(result, 'setsockopt')
  }

  async join(group: number): Promise<void> {
    this.member(NETLINK_ADD_MEMBERSHIP, group)
  }

  async leave(group: number): Promise<void> {
    this.member(NETLINK_DROP_MEMBERSHIP, group)
  }

  /** setsockopt(2) of an option that was checked. */
  set({ name, level, option, value }: OptionValue): void {
    this.#assertOpen()
    check(this.#native.setsockopt(this.#fd, level, option, value), 'setsockopt', (code) =>
      optionHint(name, code),
    )
    if (name === 'pktinfo') this.#pktinfo = value !== 0
    if (name === 'listenAllNsid') this.#allNsid = value !== 0
    this.#chooseFrom()
    if (level === SOL_SOCKET) this.#readReceiveBuffer()
  }

  /** Joins or leaves. Groups above 32 have no bit in a sender's mask: NETLINK_PKTINFO tells them. */
  member(change: number, group: number): void {
    this.#assertOpen()
    if (!isUnsigned(group, 0x7fffffff) || group === 0) throw invalid(`${group} is no group`)
    check(this.#native.setsockopt(this.#fd, SOL_NETLINK, change, group), 'setsockopt', (code) => {
      if (code === 'EINVAL') return `netlink protocol ${this.protocol} has no group ${group}`
      return code === 'EPERM'
        ? `group ${group} of netlink protocol ${this.protocol} needs CAP_NET_ADMIN`
        : undefined
    })
    this.#hasGroups = true
    this.#chooseFrom()
    if (group > MASK_GROUPS && !this.#pktinfo) this.set(optionValue('pktinfo', true))
  }

  #readReceiveBuffer(): void {
    const value = new Uint8Array(4)
    check(this.#native.getsockopt(this.#fd, SOL_SOCKET, SO_RCVBUF, value), 'getsockopt')
    this.receiveBuffer = new DataView(value.buffer).getInt32(0, HOST_LE)
  }

  #assertOpen(): void {
    if (this.#fd >= 0) return
    throw new NetlinkError('NETLINK_CLOSED', { message: 'the socket is closed' })
  }

  close(): void {
    if (this.#fd < 0) return
    this.#watch.close()
    this.#live.received.forget(this.#lastReceived)
    this.#live.sent.forget(this.#lastSent)
    this.#lastReceived = undefined
    this.#lastSent = undefined
    this.#native.close(this.#fd)
    this.#fd = -1
  }
}

/** More parts than one system call takes, as one. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
