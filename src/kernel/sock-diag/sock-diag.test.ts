/** What ss(8) asks, and what it is answered. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Kernel } from 'nlkit/kernel'
import type { Socket } from 'nlkit/transport'
import {
  MessageWalker,
  NETLINK_SOCK_DIAG,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  viewOf,
  Writer,
} from 'nlkit/wire'

const BY_FAMILY = 20
const DESTROY = 21

/** The errno of what ends the answer, and the messages before it. */
function ask(socket: Socket, type: number, flags: number, body: readonly number[], size: number) {
  const w = new Writer()
  const mark = w.messageStart(type, NLM_F_REQUEST | flags, 1, 0)
  for (let i = 0; i < size; i++) w.u8(body[i] ?? 0)
  w.messageEnd(mark)
  socket.send([w.peek()])
  const buffer = new Uint8Array(65_536)
  const messages: Uint8Array[] = []
  for (;;) {
    const length = socket.receive(buffer)
    assert.ok(length > 0, `receive: ${length}`)
    const walker = new MessageWalker(viewOf(buffer.subarray(0, length)))
    while (walker.next()) {
      if (walker.type === NLMSG_DONE || walker.type === NLMSG_ERROR) {
        return { errno: walker.view.getInt32(walker.payload, true), messages }
      }
      messages.push(buffer.slice(walker.payload, walker.end))
    }
  }
}

async function open(kernel: Kernel, portid = 0): Promise<Socket> {
  return kernel.transport().open({ protocol: NETLINK_SOCK_DIAG, portid })
}

test('families without sockets are empty, those that nobody has are not there', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel)
  const dump = (family: number, protocol: number, size: number) =>
    ask(socket, BY_FAMILY, NLM_F_DUMP, [family, protocol], size)
  for (const [family, size] of [
    [1, 24],
    [2, 56],
    [10, 56],
    [17, 20],
  ] as const) {
    assert.deepEqual(dump(family, 6, size), { errno: 0, messages: [] })
    assert.equal(dump(family, 6, size - 4).errno, -22, `family ${family}`)
  }
  assert.equal(dump(40, 0, 56).errno, -2)
  assert.equal(dump(200, 0, 56).errno, -22)
  assert.equal(dump(2, 77, 56).errno, -2)
  assert.equal(ask(socket, BY_FAMILY, NLM_F_ACK, [2, 6], 56).errno, -2)
  assert.equal(ask(socket, BY_FAMILY, NLM_F_ACK, [16, 0], 20).errno, -95)
  assert.equal(ask(socket, DESTROY, NLM_F_ACK, [1, 0], 24).errno, -95)
  assert.equal(ask(socket, 99, NLM_F_ACK, [1, 0], 24).errno, -22)
  socket.close()
})

test('netlink sockets: whose, of which protocol, in which groups', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel, 4711)
  const member = await kernel.transport().open({ protocol: 0, portid: 4712, groups: [1, 32] })
  const all = ask(socket, BY_FAMILY, NLM_F_DUMP, [16, 255, 0, 0, 0, 0, 0, 0, 10], 20).messages
  const ports = all.map((bytes) => `${bytes[2]}/${viewOf(bytes).getUint32(4, true)}`)
  assert.ok(ports.includes('0/0') && ports.includes('4/4711') && ports.includes('0/4712'))
  const routes = ask(socket, BY_FAMILY, NLM_F_DUMP, [16, 0, 0, 0, 0, 0, 0, 0, 2], 20).messages
  assert.deepEqual(
    routes.map((bytes) => viewOf(bytes).getUint32(4, true)),
    [0, 4712],
  )
  const groups = routes[1] as Uint8Array
  // nla_len and NETLINK_DIAG_GROUPS, then the mask.
  assert.deepEqual([...groups.subarray(28, 36)], [12, 0, 1, 0, 1, 0, 0, 128])
  assert.equal(ask(socket, BY_FAMILY, NLM_F_DUMP, [16, 40], 20).errno, -2)
  member.close()
  socket.close()
})
