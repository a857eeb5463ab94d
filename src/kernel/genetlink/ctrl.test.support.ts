/** nlctrl asked by hand, for the tests of this room. */
import assert from 'node:assert/strict'
import { nlctrl } from '../../families/nlctrl.ts'
import { nlmsgerrAttrs } from '../../families/nlmsgerr.ts'
import {
  NETLINK_EXT_ACK,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { Writer } from '../../wire/writer.ts'
import type { Credentials } from '../credentials.ts'
import { EAGAIN } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { UserSocket } from '../netlink/user-socket.ts'

const root: Credentials = { pid: 555, uid: 0, gid: 0, capabilities: 'all' }

/** A socket of generic netlink, and requests of one command over it. */
export function nlctrlSocket(kernel: Kernel, net: Net = kernel.initNet) {
  const sock = kernel.netlink.socket(net, NETLINK_GENERIC, root)
  assert.equal(sock.bind(), 0)
  sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
  /** The verdict, and replies as their command. */
  const send = (id: number, cmd: number, ...parts: readonly Uint8Array[]): string[] => {
    sock.send([request(id, NLM_F_REQUEST | NLM_F_ACK, cmd, parts)])
    return policyLines(drain(sock))
  }
  return { sock, send }
}

export function request(
  id: number,
  flags: number,
  cmd: number,
  parts: readonly Uint8Array[],
): Uint8Array {
  const w = new Writer()
  const mark = w.messageStart(id, flags, 1, 0)
  w.put(Uint8Array.of(cmd, 1, 0, 0))
  for (const part of parts) {
    w.put(part)
    w.pad()
  }
  w.messageEnd(mark)
  return w.finish()
}

/** Attributes of nlctrl's. */
export const ctrlAttr = {
  raw(type: number, payload: Uint8Array): Uint8Array {
    const w = new Writer()
    w.attrBytes(type, payload)
    return w.finish()
  },
  name: (name: string): Uint8Array => ctrlAttr.raw(2, Buffer.from(`${name}\0`)),
  id: (id: number): Uint8Array => ctrlAttr.raw(1, Uint8Array.of(id & 255, id >> 8)),
  op: (op: number): Uint8Array => ctrlAttr.raw(10, Uint8Array.of(op, 0, 0, 0)),
}

export function drain(sock: UserSocket): Uint8Array[] {
  const buffer = new Uint8Array(65536)
  const all: Uint8Array[] = []
  for (;;) {
    const length = sock.receive(buffer)
    if (length === -EAGAIN) return all
    assert.ok(length > 0)
    all.push(buffer.slice(0, length))
  }
}

/** Dumps nlctrl's command `cmd`; datagrams. */
export function ask(sock: UserSocket, cmd: number, ...parts: Uint8Array[]): Uint8Array[] {
  sock.send([request(16, NLM_F_REQUEST | NLM_F_DUMP, cmd, parts)])
  return drain(sock)
}

/** In hexadecimal, without the port ids. */
export function hex(datagram: Uint8Array): string {
  const copy = Buffer.from(datagram)
  const walker = new MessageWalker(viewOf(copy))
  while (walker.next()) copy.writeUInt32LE(0, walker.start + 12)
  return copy.toString('hex')
}

/** A line for each operation, attribute and verdict. */
export function policyLines(datagrams: readonly Uint8Array[]): string[] {
  const lines: string[] = []
  for (const datagram of datagrams) {
    const walker = new MessageWalker(viewOf(datagram))
    while (walker.next()) {
      const { type, payload, end, view } = walker
      if (type === NLMSG_ERROR || type === NLMSG_DONE) lines.push(verdict(walker))
      else if (view.getUint8(payload) === 10) {
        const { reply } = nlctrl.ops.getPolicy.dump
        const { familyId, opPolicy = [], policy = [] } = reply.decode(view, payload + 4, end)
        for (const { key, value } of opPolicy) lines.push(`${familyId} op ${key} ${members(value)}`)
        for (const { key, value } of policy)
          for (const attr of value)
            lines.push(`${familyId} policy ${key} attr ${attr.key} ${members(attr.value)}`)
      } else lines.push(`command ${view.getUint8(payload)}`)
    }
  }
  return lines
}

function members(value: object): string {
  return Object.entries(value)
    .map(([key, each]) => `${key}=${each}`)
    .join(' ')
}

function verdict({ type, payload, end, view, flags }: MessageWalker): string {
  const errno = view.getInt32(payload, true)
  if (type === NLMSG_DONE) return `done ${errno}`
  const length = view.getUint32(payload + 4, true)
  const behind = payload + ((flags & 0x100) !== 0 ? 20 : 4 + ((length + 3) & ~3))
  const { msg, offs, missType } = behind < end ? nlmsgerrAttrs.get(view, behind, end) : {}
  const parts = [
    `errno ${errno}`,
    offs === undefined ? '' : `at ${offs}`,
    missType === undefined ? '' : `missing ${missType}`,
    msg ?? '',
  ]
  return parts.filter(Boolean).join(' ')
}
