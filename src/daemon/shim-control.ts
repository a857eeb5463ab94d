/** A control connection of the preload shim: system calls on sockets, one answered after another. */
import type { Credentials } from '../kernel/credentials.ts'
import { type SendInit, SOCKADDR_NL_SIZE, type SocketOps } from '../kernel/netlink/ops.ts'
import { KERN_ERR } from '../kernel/printk/log.ts'
import { PIN_SERVER_ANSWER, PIN_SERVER_REQUEST } from '../transport/pins.ts'
import { type Armed, EPOLLIN } from '../transport/readiness.ts'
import {
  AT_A,
  AT_B,
  AT_C,
  AT_RESULT,
  EAGAIN,
  EINVAL,
  EOPNOTSUPP,
  KIND_ANSWER,
} from '../transport/wire-protocol.ts'
import type { Server } from './server.ts'
import {
  AT_ANSWER_GID,
  AT_ANSWER_GROUP,
  AT_ANSWER_GROUPS,
  AT_ANSWER_NSID,
  AT_ANSWER_PID,
  AT_ANSWER_PORTID,
  AT_ANSWER_UID,
  AT_FLAGS,
  AT_NAME_LENGTH,
  AT_SOCKET,
  FLAG_CREDENTIALS,
  FLAG_NAME,
  FLAG_NSID,
  FLAG_PKTINFO,
  FLAG_SENDER,
  FLAG_TAKEN,
  FLAG_WAIT,
  OP_BIND,
  OP_CANCEL,
  OP_COLLECT,
  OP_CONNECT,
  OP_GETPEERNAME,
  OP_GETSOCKNAME,
  OP_GETSOCKOPT,
  OP_IOCTL,
  OP_OPEN,
  OP_READY,
  OP_RECEIVE,
  OP_RELEASE,
  OP_RETURN,
  OP_SEND,
  OP_SETSOCKOPT,
  OP_UNREADY,
  OP_WRITE,
  SHIM_ANSWER_SIZE,
  SHIM_REQUEST_SIZE,
  UCRED_SIZE,
} from './shim-protocol.ts'
import type { ShimSocket } from './shim-socket.ts'

const EBADF = -9
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)
/** Requests that one connection is served before the others' turn. */
const TURN = 64
/** Microseconds that the next request is waited for, as nobody else wants anything. */
const LINGER = 5000
/** Turns of lingering before the event loop has its turn. */
const LINGERS = 64
/** What wait() answers when others are ready. */
const OTHERS = 0x10000

export class ShimControl implements Armed {
  readonly #server: Server
  readonly #credentials: Credentials
  readonly #netns: string
  /** -1 once closed. */
  #fd: number
  #armed: number | undefined
  /** Ends the wait of a send that has not answered. */
  #waiting: AbortController | undefined

  constructor(server: Server, fd: number, credentials: Credentials, netns: string) {
    this.#server = server
    this.#netns = netns
    this.#fd = fd
    this.#credentials = credentials
    this.#arm()
  }
  #arm(): void {
    if (this.#fd >= 0) this.#armed = this.#server.readiness.arm(this, this.#fd)
  }

  /** Serves a turn; where nobody else wants anything, waits a moment for more. */
  ready(isLast: boolean): void {
    this.#armed = undefined
    const { native } = this.#server
    let isThrough = this.#serve()
    // Whoever waits for room is answered between two turns of the event loop.
    const mayLinger = isLast && this.#server.shims.waiting === 0
    for (let i = 0; isThrough && mayLinger && this.#fd >= 0; i++) {
      const seen = i < LINGERS ? native.wait(this.#fd, EPOLLIN, LINGER, 1) : OTHERS
      if ((seen & ~OTHERS) === 0) break
      isThrough = this.#serve()
      if (seen & OTHERS) break
    }
    if (this.#fd < 0) return
    if (isThrough) this.#arm()
    else this.#server.serveLater(this)
  }
  /** Answers requests. @returns whether none is left for now. */
  #serve(): boolean {
    const { native } = this.#server
    for (let left = TURN; left > 0; left--) {
      const size = native.receive(this.#fd, PIN_SERVER_REQUEST)
      if (size === EAGAIN) return true
      if (size < SHIM_REQUEST_SIZE) this.close()
      else this.#request(size)
      this.#server.flush()
      if (this.#fd < 0) return true
    }
    return false
  }

  #request(size: number): void {
    const { requestView: view, answer } = this.#server
    const length = Math.min(size, this.#server.request.length)
    const inode = view.getUint32(AT_SOCKET, true) + view.getUint32(AT_SOCKET + 4, true) * 2 ** 32
    if (this.#waiting || this.#server.request[0] === OP_CANCEL) {
      this.#cancel()
      return
    }
    this.#beginAnswer(answer)
    try {
      if (this.#server.request[0] === OP_IOCTL) {
        this.#ioctl(length)
        return
      }
      if (this.#server.request[0] === OP_COLLECT) {
        this.#server.namespaces.collect()
        this.#put(undefined, 0)
        return
      }
      if (this.#server.request[0] === OP_OPEN || this.#server.request[0] === OP_WRITE) {
        this.#file(length)
        return
      }
      const socket = this.#server.shims.find(inode, this.#credentials)
      if (socket) this.#dispatch(socket, length)
      else this.#put(undefined, EBADF)
    } catch (error) {
      this.#server.kernel.printk(KERN_ERR, `daemon: a request failed: ${error}`)
      this.close()
    }
  }

  #beginAnswer(answer: Uint8Array): void {
    answer.fill(0, 0, SHIM_ANSWER_SIZE)
    answer[0] = KIND_ANSWER
  }
  /** One that comes too late finds nothing that waits; anything else is not said meanwhile. */
  #cancel(): void {
    if (this.#server.request[0] === OP_CANCEL) this.#waiting?.abort()
    else this.close()
  }

  #dispatch(socket: ShimSocket, size: number): void {
    const { request, requestView: view } = this.#server
    const { ops } = socket
    const a = view.getUint32(AT_A, true)
    const b = view.getUint32(AT_B, true)
    const payload = (): Uint8Array => request.subarray(SHIM_REQUEST_SIZE, size)
    switch (request[0]) {
      case OP_SEND:
        if (view.getUint8(AT_FLAGS) & FLAG_WAIT) this.#sendWait(socket, size)
        else this.#send(socket, size, b)
        return
      case OP_READY:
      case OP_UNREADY:
        socket.setAhead(request[0] === OP_READY)
        this.#put(socket, 0)
        return
      case OP_RECEIVE:
        this.#receive(socket, a, view.getInt32(AT_C, true))
        return
      case OP_BIND:
        this.#put(socket, ops.bind(payload(), this.#credentials))
        return
      case OP_CONNECT:
        this.#put(socket, ops.connect(payload(), this.#credentials))
        return
      case OP_GETSOCKNAME:
        this.#putName(socket, ops.getsockname(this.#room(SOCKADDR_NL_SIZE)))
        return
      case OP_GETPEERNAME:
        this.#putName(socket, ops.getpeername(this.#room(SOCKADDR_NL_SIZE)))
        return
      case OP_SETSOCKOPT:
        this.#put(socket, ops.setsockopt(a, b, payload(), this.#credentials))
        return
      case OP_GETSOCKOPT:
        this.#getOption(socket, a, b, view.getInt32(AT_C, true))
        return
      case OP_RELEASE:
        if (socket.isHungUp()) socket.close()
        this.#put(undefined, 0)
        return
      case OP_RETURN:
        socket.returned(a)
        this.#put(socket, 0)
        return
      default:
        this.#put(socket, EOPNOTSUPP)
    }
  }

  /** Sends, and takes what is in front then, if it fits into `room` and nobody was told of it. */
  #send(socket: ShimSocket, size: number, room: number): void {
    const { ops } = socket
    socket.isServed = room > 0
    let result: number
    let taken = 0
    try {
      result = this.#sendmsg(socket, size)
      const length = result < 0 || room === 0 ? undefined : ops.plainLength
      if (length !== undefined && length <= room && socket.isUntold) {
        taken = ops.recvmsg(this.#room(room), 0)
      }
    } finally {
      socket.isServed = false
    }
    socket.tell()
    if (taken > 0) this.#describe(ops, FLAG_TAKEN)
    this.#put(socket, result, Math.max(0, taken))
  }
  #sendmsg({ ops }: ShimSocket, size: number): number {
    const read = this.#readSend(size)
    return read ? ops.sendmsg(read.parts, read.init) : EINVAL
  }
  /** Sends once there is room; the answer comes then, or when the program no longer waits for it. */
  #sendWait(socket: ShimSocket, size: number): void {
    const server = this.#server
    const waiting = new AbortController()
    const milliseconds = server.requestView.getInt32(AT_C, true)
    const timeout = milliseconds < 0 ? Number.POSITIVE_INFINITY : milliseconds
    const read = this.#readSend(size)
    const wait = { timeout, signal: waiting.signal }
    const result = read ? socket.ops.sendmsgWait(read.parts, read.init, wait) : EINVAL
    if (typeof result === 'number') {
      this.#put(socket, result)
      return
    }
    this.#waiting = waiting
    server.shims.waiting++
    void result.then((sent) => {
      this.#waiting = undefined
      server.shims.waiting--
      this.#beginAnswer(server.answer)
      this.#put(socket, sent)
      server.flush()
    })
  }
  /** What a SEND has behind its head; undefined when it is cut short. */
  #readSend(size: number): { parts: Uint8Array[]; init: SendInit } | undefined {
    const { request, requestView: view } = this.#server
    const flags = view.getUint8(AT_FLAGS)
    const nameEnd = SHIM_REQUEST_SIZE + view.getUint16(AT_NAME_LENGTH, true)
    const start = nameEnd + (flags & FLAG_CREDENTIALS ? UCRED_SIZE : 0)
    if (start > size) return undefined
    const name = flags & FLAG_NAME ? request.subarray(SHIM_REQUEST_SIZE, nameEnd) : undefined
    const claimed =
      start === nameEnd
        ? undefined
        : {
            pid: view.getInt32(nameEnd, true),
            uid: view.getUint32(nameEnd + 4, true),
            gid: view.getUint32(nameEnd + 8, true),
          }
    const init = { name, current: this.#credentials, claimed }
    return { parts: [request.subarray(start, size)], init }
  }

  #receive(socket: ShimSocket, flags: number, wanted: number): void {
    const { ops } = socket
    const room = this.#room(wanted)
    const received = ops.recvmsg(room, flags)
    if (received < 0) {
      this.#put(socket, received)
      return
    }
    this.#describe(ops)
    this.#put(socket, received, Math.min(received, room.length))
  }

  /** Says who sent the datagram that was received last, and what came beside it. */
  #describe(ops: SocketOps, flags = 0): void {
    const { answerView: view } = this.#server
    let beside = flags
    view.setUint32(AT_ANSWER_PORTID, ops.senderPortid, true)
    view.setUint32(AT_ANSWER_GROUPS, ops.senderGroups, true)
    const { pktinfo, senderNsid, senderCredentials: sender } = ops
    if (pktinfo !== undefined) {
      beside |= FLAG_PKTINFO
      view.setUint32(AT_ANSWER_GROUP, pktinfo, true)
    }
    if (senderNsid !== undefined) {
      beside |= FLAG_NSID
      view.setInt32(AT_ANSWER_NSID, senderNsid, true)
    }
    if (sender) {
      beside |= FLAG_SENDER
      view.setUint32(AT_ANSWER_PID, sender.pid, true)
      view.setUint32(AT_ANSWER_UID, sender.uid, true)
      view.setUint32(AT_ANSWER_GID, sender.gid, true)
    }
    view.setUint8(1, beside)
  }
  #ioctl(size: number): void {
    const { request, requestView: view } = this.#server
    const room = this.#room(size - SHIM_REQUEST_SIZE)
    room.set(request.subarray(SHIM_REQUEST_SIZE, SHIM_REQUEST_SIZE + room.length))
    const result = this.#server.shims.ioctl({
      netns: this.#netns,
      request: view.getUint32(AT_A, true),
      domain: view.getUint32(AT_B, true),
      argument: room,
      current: this.#credentials,
    })
    this.#put(undefined, result, room.length)
  }
  /** A file that the kernel shows: what it says, or what is written to it. */
  #file(size: number): void {
    const { request, requestView: view, answer, shims } = this.#server
    const payload = request.subarray(SHIM_REQUEST_SIZE, size)
    const who = { netns: this.#netns, current: this.#credentials }
    if (request[0] === OP_WRITE) {
      const end = view.getUint16(AT_NAME_LENGTH, true)
      this.#put(
        undefined,
        shims.files.write(who, decode(payload.subarray(0, end)), payload.subarray(end)),
      )
      return
    }
    const room = answer.subarray(SHIM_ANSWER_SIZE)
    const { mode, length } = shims.files.open(
      who,
      decode(payload),
      view.getUint32(AT_A, true),
      room,
    )
    this.#put(undefined, mode, length)
  }
  #getOption(socket: ShimSocket, level: number, option: number, wanted: number): void {
    const room = this.#room(wanted)
    const length = socket.ops.getsockopt(level, option, room)
    this.#put(socket, length, Math.max(0, Math.min(length, room.length)))
  }
  #putName(socket: ShimSocket, result: number): void {
    this.#put(socket, result, result < 0 ? 0 : SOCKADDR_NL_SIZE)
  }

  /** Where the payload of the answer goes: `wanted` bytes, or as many as a packet has. */
  #room(wanted: number): Uint8Array {
    const { answer } = this.#server
    const end = Math.min(SHIM_ANSWER_SIZE + Math.max(0, wanted), answer.length)
    return answer.subarray(SHIM_ANSWER_SIZE, end)
  }
  /** Sends the answer, whose payload has `extra` bytes. */
  #put(socket: ShimSocket | undefined, result: number, extra = 0): void {
    if (this.#fd < 0) return
    const { native, answerView: view } = this.#server
    view.setInt32(AT_RESULT, result, true)
    socket?.settle(view)
    const sent = native.sendFirst(this.#fd, PIN_SERVER_ANSWER, SHIM_ANSWER_SIZE + extra)
    if (sent < 0) this.close()
  }

  /** Harmless when repeated. */
  close(): void {
    if (this.#fd < 0) return
    const { native, readiness } = this.#server
    if (this.#armed !== undefined) readiness.forget(this.#armed)
    native.disarm(this.#fd)
    native.close(this.#fd)
    this.#fd = -1
    this.#waiting?.abort()
    this.#server.shims.forgetControl(this)
    this.#server.namespaces.collectSoon()
  }
}
