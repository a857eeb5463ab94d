/**
 * The system calls with C's arguments, on Linux and on nlkit's kernel: one list of calls, made by a
 * program that hands over bytes, and by what a program behind the shim is served with. All that they
 * answer must be equal.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { type Credentials, Kernel, type UserSocket } from 'nlkit/kernel'

interface Ops {
  bind(address: Uint8Array, current: Credentials): number
  connect(address: Uint8Array, current: Credentials): number
  getsockname(into: Uint8Array): number
  getpeername(into: Uint8Array): number
  setsockopt(level: number, option: number, value: Uint8Array, current: Credentials): number
  getsockopt(level: number, option: number, into: Uint8Array): number
  sendmsg(
    parts: readonly Uint8Array[],
    init: { name?: Uint8Array | undefined; current: Credentials },
  ): number
  recvmsg(into: Uint8Array, flags: number): number
  readonly senderPortid: number
  readonly senderGroups: number
  close(): void
}
const { KernelSocketOps } = (await import(
  new URL('../../dist/kernel/netlink/ops.js', import.meta.url).href
)) as { KernelSocketOps: new (sock: UserSocket) => Ops }

const PYTHON = `
import ctypes, errno, json, sys
c = ctypes.CDLL(None, use_errno=True)
def r(n): return n if n >= 0 else -ctypes.get_errno()
socks = {}
def name(f, fd, size):
    b = ctypes.create_string_buffer(64); n = ctypes.c_uint(size)
    e = r(f(fd, b, ctypes.byref(n)))
    return e if e < 0 else [n.value, b.raw[:min(size, n.value)].hex()]
def run(op, s, *a):
    fd = socks.get(s)
    if op == 'open':
        fd = r(c.socket(16, a[1] | 0o4000, a[0])); socks[s] = fd; return min(fd, 0)
    if op == 'bind': return r(c.bind(fd, bytes.fromhex(a[0]), len(a[0]) // 2))
    if op == 'connect': return r(c.connect(fd, bytes.fromhex(a[0]), len(a[0]) // 2))
    if op == 'sockname': return name(c.getsockname, fd, 12)
    if op == 'peername': return name(c.getpeername, fd, 12)
    if op == 'set': return r(c.setsockopt(fd, a[0], a[1], bytes.fromhex(a[2]), len(a[2]) // 2))
    if op == 'get':
        b = ctypes.create_string_buffer(64); n = ctypes.c_uint(a[2])
        e = r(c.getsockopt(fd, a[0], a[1], b, ctypes.byref(n)))
        return e if e < 0 else [n.value, b.raw[:min(a[2], n.value)].hex()]
    if op == 'send':
        to = bytes.fromhex(a[1]) if a[1] else None
        return r(c.sendto(fd, bytes(a[0]), a[0], 0x40, to, len(to) if to else 0))
    if op == 'recv':
        b = ctypes.create_string_buffer(4096); f = ctypes.create_string_buffer(12); n = ctypes.c_uint(12)
        e = r(c.recvfrom(fd, b, a[0], a[1] | 0x20 | 0x40, f, ctypes.byref(n)))
        return e if e < 0 else [e, f.raw[4:12].hex()]
    if op == 'close': return r(c.close(fd))
def play(calls):
    out = [run(*each) for each in calls]
    for fd in socks.values(): c.close(fd)
    socks.clear()
    return out
print(json.dumps({what: play(calls) for what, calls in json.load(sys.stdin).items()}))
`

/** A struct sockaddr_nl as hex: as C has it, cut or continued to `size` bytes. */
function sockaddr(portid: number, groups = 0, family = 16, size = 12): string {
  const bytes = new Uint8Array(Math.max(12, size))
  const view = new DataView(bytes.buffer)
  view.setUint16(0, family, true)
  view.setUint16(2, 0x5555, true)
  view.setUint32(4, portid, true)
  view.setUint32(8, groups >>> 0, true)
  return Buffer.from(bytes.subarray(0, size)).toString('hex')
}
const timeval = (seconds: bigint, microseconds: bigint): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeBigInt64LE(seconds)
  bytes.writeBigInt64LE(microseconds, 8)
  return bytes.toString('hex')
}
const int = (value: number): string => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes.toString('hex')
}

type Call = readonly [op: string, socket: string, ...rest: (string | number | null)[]]
const NETLINK = 270
const SOCKET = 1

/** Calls whose answers no two kernels give by chance; ports are chosen, never automatic. */
const CALLS: Readonly<Record<string, readonly Call[]>> = {
  'protocols and types of sockets': [
    ['open', 'a', 2, 3],
    ['open', 'b', 2, 2],
    ['open', 'c', 40, 3],
    ['open', 'd', 31, 3],
    ['open', 'e', 1, 3],
    ...[1, 4, 5, 6, 10].map((type): Call => ['open', 'x', 2, type]),
    ['open', 'x', 40, 1],
    ['get', 'a', SOCKET, 3, 4],
    ['get', 'b', SOCKET, 3, 4],
    ['get', 'a', SOCKET, 38, 4],
    ['get', 'a', SOCKET, 39, 4],
    ['get', 'a', SOCKET, 30, 4],
    ['get', 'a', SOCKET, 17, 12],
    ['sockname', 'a'],
    ['peername', 'a'],
  ],
  'addresses to bind to': [
    ['open', 'a', 2, 3],
    ['bind', 'a', sockaddr(5, 0, 16, 11)],
    ['bind', 'a', sockaddr(5, 0, 2)],
    ['bind', 'a', sockaddr(5, 0b101, 16, 28)],
    ['sockname', 'a'],
    ['bind', 'a', sockaddr(6)],
    ['bind', 'a', sockaddr(0)],
    ['bind', 'a', sockaddr(5, 0xffffffff)],
    ['sockname', 'a'],
    ['bind', 'a', sockaddr(5)],
    ['sockname', 'a'],
    ['open', 'b', 2, 3],
    ['bind', 'b', sockaddr(5)],
    ['open', 'c', 0, 3],
    ['bind', 'c', sockaddr(5)],
    ['bind', 'b', sockaddr(0xfffffff0)],
    ['sockname', 'b'],
  ],
  'joining by number, and binding after it': [
    ['open', 'a', 0, 3],
    ['set', 'a', NETLINK, 1, int(1)],
    ['set', 'a', NETLINK, 1, int(33)],
    ['sockname', 'a'],
    ['bind', 'a', sockaddr(9, 0b100)],
    ['sockname', 'a'],
    ['get', 'a', NETLINK, 9, 8],
    ['get', 'a', NETLINK, 9, 4],
    ['get', 'a', NETLINK, 9, 0],
    ['set', 'a', NETLINK, 2, int(33)],
    ['set', 'a', NETLINK, 2, int(33)],
    ['set', 'a', NETLINK, 1, int(0)],
    ['set', 'a', NETLINK, 1, int(-1)],
    ['set', 'a', NETLINK, 1, int(1000)],
    ['set', 'a', NETLINK, 9, int(1)],
    ['get', 'a', NETLINK, 1, 4],
    ['open', 'b', 2, 3],
    ['get', 'b', NETLINK, 9, 8],
    ['set', 'b', NETLINK, 1, int(32)],
    ['set', 'b', NETLINK, 1, int(33)],
    ['get', 'b', NETLINK, 9, 8],
  ],
  'options, their levels and lengths': [
    ['open', 'a', 2, 3],
    ...[3, 4, 5, 8, 10, 11, 12].flatMap((option): Call[] => [
      ['get', 'a', NETLINK, option, 4],
      ['set', 'a', NETLINK, option, int(7)],
      ['get', 'a', NETLINK, option, 4],
      ['set', 'a', NETLINK, option, '0100'],
      ['get', 'a', NETLINK, option, 8],
      ['get', 'a', NETLINK, option, 3],
    ]),
    ...[6, 7, 13, 99].map((option): Call => ['set', 'a', NETLINK, option, int(1)]),
    ...[6, 7, 13, 99].map((option): Call => ['get', 'a', NETLINK, option, 4]),
    ['set', 'a', 271, 3, int(1)],
    ['get', 'a', 271, 3, 4],
    ['get', 'a', SOCKET, 7, 4],
    ['get', 'a', SOCKET, 8, 4],
    ['set', 'a', SOCKET, 8, int(1)],
    ['get', 'a', SOCKET, 8, 4],
    ['set', 'a', SOCKET, 7, int(1)],
    ['get', 'a', SOCKET, 7, 4],
    ['set', 'a', SOCKET, 8, '0100'],
    ['get', 'a', SOCKET, 4, 4],
    ['set', 'a', SOCKET, 16, int(1)],
    ['get', 'a', SOCKET, 16, 4],
  ],
  'timeouts of sends and receives': [
    ['open', 'a', 0, 3],
    ...[20, 21].flatMap((option): Call[] => [
      ['get', 'a', SOCKET, option, 16],
      ['set', 'a', SOCKET, option, timeval(1n, 40_000n)],
      ['get', 'a', SOCKET, option, 16],
      ['set', 'a', SOCKET, option, timeval(1n, 1_000_000n)],
      ['set', 'a', SOCKET, option, timeval(1n, 0n).slice(0, 16)],
      ['set', 'a', SOCKET, option, timeval(0n, 0n)],
      ['get', 'a', SOCKET, option, 16],
    ]),
  ],
  'connecting binds, once': [
    ['open', 'a', 0, 3],
    ['bind', 'a', sockaddr(77)],
    ['connect', 'a', sockaddr(0)],
    ['connect', 'a', sockaddr(0)],
    ['sockname', 'a'],
    ['peername', 'a'],
  ],
  'connecting, and what a peer is': [
    ['open', 'a', 2, 3],
    ['bind', 'a', sockaddr(1)],
    ['connect', 'a', '10'],
    ['connect', 'a', sockaddr(5, 0, 16, 11)],
    ['connect', 'a', sockaddr(5, 0, 2)],
    ['connect', 'a', sockaddr(5, 0b1100)],
    ['peername', 'a'],
    ['open', 'b', 2, 3],
    ['bind', 'b', sockaddr(2)],
    ['send', 'b', 3, sockaddr(1)],
    ['connect', 'a', '0000'],
    ['peername', 'a'],
    ['send', 'b', 3, sockaddr(1)],
    ['recv', 'a', 64, 0],
    ['connect', 'a', sockaddr(2)],
    ['send', 'a', 4, null],
    ['recv', 'b', 64, 0],
    ['send', 'b', 3, sockaddr(1)],
    ['recv', 'a', 64, 0],
  ],
  'sending: addresses, lengths, groups, nobody': [
    ['open', 'a', 2, 3],
    ['bind', 'a', sockaddr(1, 0b100)],
    ['open', 'b', 2, 3],
    ['bind', 'b', sockaddr(2, 0b10100)],
    ['send', 'a', 0, sockaddr(2)],
    ['send', 'a', 3, sockaddr(2, 0, 16, 11)],
    ['send', 'a', 3, sockaddr(2, 0, 2)],
    ['send', 'a', 1, sockaddr(2)],
    ['send', 'a', 2, sockaddr(1)],
    ['send', 'a', 3, sockaddr(0, 0b10100)],
    ['send', 'a', 4, sockaddr(2, 0b10000)],
    ['send', 'a', 5, sockaddr(99)],
    ['send', 'a', 6, null],
    ['set', 'a', SOCKET, 7, int(1)],
    ['send', 'a', 4576, sockaddr(77)],
    ['send', 'a', 4577, sockaddr(77)],
    ...Array.from({ length: 4 }, (): Call => ['recv', 'b', 64, 0]),
    ...Array.from({ length: 2 }, (): Call => ['recv', 'a', 64, 0]),
  ],
  'receiving: a look, a buffer too small, none at all': [
    ['open', 'a', 2, 3],
    ['bind', 'a', sockaddr(1)],
    ['recv', 'a', 64, 0],
    ['send', 'a', 30, sockaddr(1)],
    ['send', 'a', 40, sockaddr(1)],
    ['send', 'a', 50, sockaddr(1)],
    ['recv', 'a', 4, 2],
    ['recv', 'a', 64, 2],
    ['recv', 'a', 4, 0],
    ['recv', 'a', 0, 0],
    ['recv', 'a', 64, 0],
    ['recv', 'a', 64, 0],
    ['recv', 'a', 64, 2],
  ],
}

/** The sockets that one list of calls opened. */
class Player {
  readonly #kernel = new Kernel()
  readonly #me: Credentials = { pid: 4242, uid: 0, gid: 0, capabilities: 'all' }
  readonly #sockets = new Map<string, Ops>()

  run([op, name, ...rest]: Call): unknown {
    const [first, second, third] = rest as [never, never, never]
    if (op === 'open') return this.#open(name, first, second)
    const sock = this.#sockets.get(name) as Ops
    const into = new Uint8Array(64)
    const hex = (length: number, room: number): unknown =>
      length < 0
        ? length
        : [length, Buffer.from(into.slice(0, Math.min(length, room))).toString('hex')]
    switch (op) {
      case 'bind':
        return sock.bind(Buffer.from(first, 'hex'), this.#me)
      case 'connect':
        return sock.connect(Buffer.from(first, 'hex'), this.#me)
      case 'sockname':
        return hex(Math.min(0, sock.getsockname(into)) || 12, 12)
      case 'peername':
        return hex(Math.min(0, sock.getpeername(into)) || 12, 12)
      case 'set':
        return sock.setsockopt(first, second, Buffer.from(third, 'hex'), this.#me)
      case 'get':
        return hex(sock.getsockopt(first, second, into.subarray(0, third)), third)
      case 'send': {
        const to = second === null ? undefined : Buffer.from(second, 'hex')
        return sock.sendmsg([new Uint8Array(first)], { name: to, current: this.#me })
      }
      case 'recv': {
        const length = sock.recvmsg(new Uint8Array(first), second)
        if (length < 0) return length
        const from = Buffer.alloc(8)
        from.writeUInt32LE(sock.senderPortid)
        from.writeUInt32LE(sock.senderGroups >>> 0, 4)
        return [length, from.toString('hex')]
      }
      default:
        throw new TypeError(op)
    }
  }
  #open(name: string, protocol: number, type: number): number {
    try {
      const sock = this.#kernel.netlink.socket(this.#kernel.initNet, protocol, this.#me, type)
      this.#sockets.set(name, new KernelSocketOps(sock))
      return 0
    } catch (error) {
      return (error as { errno: number }).errno
    }
  }
}

const isRoot = process.getuid?.() === 0
const unshare = isRoot ? ['-n'] : ['-Urn']

/** Every list in one process; a sentence where this machine cannot be asked. */
function askLinux(): Record<string, unknown[]> | string {
  const linux = spawnSync('unshare', [...unshare, 'python3', '-c', PYTHON], {
    input: JSON.stringify(CALLS),
    encoding: 'utf8',
    timeout: 30_000,
  })
  if (linux.error || /^unshare:/.test(linux.stderr))
    return `no namespace or no python3 here: ${linux.error ?? linux.stderr}`
  assert.equal(linux.status, 0, linux.stderr)
  return JSON.parse(linux.stdout)
}

const theirs = askLinux()
for (const [what, calls] of Object.entries(CALLS)) {
  test(`${what}: as on Linux`, (t) => {
    const player = new Player()
    const ours = calls.map((call) => player.run(call))
    if (typeof theirs === 'string') return t.skip(theirs)
    for (const [i, call] of calls.entries())
      assert.deepEqual(ours[i], theirs[what]?.[i], `call ${i}: ${JSON.stringify(call)}`)
    return undefined
  })
}
