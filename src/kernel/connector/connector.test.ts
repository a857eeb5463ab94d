/** The connector: bytes, callbacks, who may listen, what sending answers. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CONNECTOR_MAX_MSG_SIZE, cnMessage, cnMsg } from '../../families/connector.ts'
import type { Socket } from '../../transport/transport.ts'
import {
  NETLINK_CONNECTOR,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_HDRLEN,
} from '../../wire/constants.ts'
import { HOST_LE } from '../../wire/order.ts'
import { Writer } from '../../wire/writer.ts'
import { Kernel } from '../kernel.ts'
import type { CnMsg, CnMsgInput } from './message.ts'

const ID = { idx: 20, val: 7 }
const bytes = (...values: number[]) => Uint8Array.from(values)

interface Sent extends CnMsgInput {
  readonly len?: number
  readonly nlmsgLength?: number
  readonly nlmsgFlags?: number
}
/** A datagram with one message. */
function datagram({
  data = bytes(),
  len = data.length,
  nlmsgLength,
  nlmsgFlags = 0,
  ...head
}: Sent) {
  const w = new Writer()
  const mark = w.messageStart(NLMSG_DONE, nlmsgFlags, head.seq ?? 0, 0)
  cnMsg.put(w, { ...head, len })
  w.put(data)
  w.messageEnd(mark)
  if (nlmsgLength !== undefined) w.view.setUint32(0, nlmsgLength, HOST_LE)
  return w.finish()
}
/** All datagrams that wait, each as its nlmsghdr and its cn_msg. */
function receive(socket: Socket) {
  const found = []
  const buffer = new Uint8Array(32768)
  for (let size = socket.receive(buffer); size > 0; size = socket.receive(buffer)) {
    const view = new DataView(buffer.buffer, 0, size)
    const { data, ...head } = cnMessage.get(view, NLMSG_HDRLEN, view.getUint32(0, HOST_LE))
    found.push({
      type: view.getUint16(4, HOST_LE),
      flags: view.getUint16(6, HOST_LE),
      seq: view.getUint32(8, HOST_LE),
      portid: view.getUint32(12, HOST_LE),
      group: socket.senderGroup,
      head,
      data: [...data],
    })
  }
  return found
}
const open = (kernel: Kernel, groups: readonly number[] = [], portid = 0) =>
  kernel.transport().open({ protocol: NETLINK_CONNECTOR, groups, portid })

test('cn_msg: 20 bytes and data behind an nlmsghdr of type NLMSG_DONE, with its own seq, pid 0', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel, [20])
  const sent = kernel.connector.netlinkSend(
    { ...ID, seq: 5, ack: 6, flags: 7, data: bytes(1, 2, 3) },
    { group: 20 },
  )
  assert.equal(sent, 0)
  assert.deepEqual(receive(socket), [
    {
      type: NLMSG_DONE,
      flags: 0,
      seq: 5,
      portid: 0,
      group: 20,
      head: { ...ID, seq: 5, ack: 6, len: 3, flags: 7 },
      data: [1, 2, 3],
    },
  ])
})

test('a callback gets the message and where it comes from, in the sender’s call', async () => {
  await using kernel = new Kernel()
  const heard: [CnMsg, number, number][] = []
  kernel.connector.addCallback(ID, 'test', (msg, { portid, credentials }) =>
    heard.push([msg, portid, credentials.uid]),
  )
  const socket = await kernel
    .transport({ credentials: { uid: 7 } })
    .open({ protocol: NETLINK_CONNECTOR, portid: 55 })
  const part = datagram({ ...ID, seq: 1, ack: 2, flags: 3, data: bytes(9) })
  assert.equal(socket.send([part]), part.length)
  part.fill(0)
  assert.deepEqual(heard, [[{ ...ID, seq: 1, ack: 2, flags: 3, data: bytes(9) }, 55, 7]])
})

test('a reply: the same seq, and one more than the ack', async () => {
  await using kernel = new Kernel()
  kernel.connector.addCallback(ID, 'echo', (msg, { portid }) =>
    kernel.connector.netlinkSend({ ...msg, ack: msg.ack + 1 }, { portid }),
  )
  const socket = await open(kernel)
  socket.send([datagram({ ...ID, seq: 42, ack: 9, data: bytes(1) })])
  assert.deepEqual(
    receive(socket).map(({ head, group }) => [head.seq, head.ack, group]),
    [[42, 10, 0]],
  )
})

test('input: what is short, too long, cut or unknown is dropped; send tells nothing, no ACK ever', async () => {
  await using kernel = new Kernel()
  let calls = 0
  kernel.connector.addCallback(ID, 'test', () => calls++)
  const socket = await open(kernel)
  const data = bytes(1, 2, 3, 4)
  const dropped = [
    bytes(1, 2, 3),
    datagram({ ...ID, data, nlmsgLength: NLMSG_HDRLEN + 19 }),
    datagram({ ...ID, data, nlmsgLength: 5000 }),
    datagram({ ...ID, data, len: 5 }),
    datagram({ ...ID, data: new Uint8Array(CONNECTOR_MAX_MSG_SIZE - 19) }),
    datagram({ idx: 20, val: 8, data }),
  ]
  for (const part of dropped) assert.equal(socket.send([part]), part.length)
  assert.equal(calls, 0)
  socket.send([datagram({ ...ID, data, nlmsgFlags: NLM_F_REQUEST | NLM_F_ACK })])
  socket.send([datagram({ ...ID, data: new Uint8Array(CONNECTOR_MAX_MSG_SIZE - 20) })])
  socket.send([datagram({ ...ID, data, len: 2 })])
  assert.equal(calls, 3)
  assert.deepEqual(receive(socket), [])
})

test('input: of several messages in a datagram the first alone is looked at', async () => {
  await using kernel = new Kernel()
  const seen: number[] = []
  kernel.connector.addCallback(ID, 'test', ({ seq }) => seen.push(seq))
  const socket = await open(kernel)
  socket.send([datagram({ ...ID, seq: 1 }), datagram({ ...ID, seq: 2 })])
  assert.deepEqual(seen, [1])
})

test('addCallback: a taken id is EINVAL; a name is cut at 31; the list keeps the order', async () => {
  await using kernel = new Kernel()
  const { connector } = kernel
  const stop = connector.addCallback(ID, 'n'.repeat(40), () => {})
  assert.throws(() => connector.addCallback(ID, 'b', () => {}), { code: 'EINVAL' })
  connector.addCallback({ idx: 3, val: 1 }, 'w1', () => {})
  assert.equal(
    connector.procText(),
    `Name            ID\ncn_proc         1:1\n${'n'.repeat(31)} 20:7\nw1              3:1\n`,
  )
  stop()
  stop()
  connector.addCallback(ID, 'again', () => {})
  connector.delCallback(ID)
  connector.delCallback(ID)
  assert.deepEqual(
    connector.entries().map(({ name, group }) => [name, group]),
    [
      ['cn_proc', 1],
      ['w1', 3],
    ],
  )
})

test('addCallback: EAGAIN when the connector is closed, which is harmless twice', () => {
  const kernel = new Kernel()
  kernel.connector.close()
  kernel.connector.close()
  assert.throws(() => kernel.connector.addCallback(ID, 'x', () => {}), { code: 'EAGAIN' })
  assert.equal(kernel.connector.netlinkSend(ID), -19)
})

test('a callback that throws, or returns a promise, is logged by its name; the kernel goes on', async () => {
  await using kernel = new Kernel()
  let calls = 0
  kernel.connector.addCallback(ID, 'broken', () => {
    calls++
    throw new Error('no')
  })
  const slow = async () => {
    throw new Error('later')
  }
  kernel.connector.addCallback({ idx: 21, val: 1 }, 'slow', () => slow() as never)
  const socket = await open(kernel)
  for (const part of [datagram(ID), datagram(ID), datagram({ idx: 21, val: 1 })])
    socket.send([part])
  await new Promise<void>((resolve) =>
    kernel.log.follow(({ text }) => text.includes('later') && resolve()),
  )
  assert.equal(calls, 2)
  const log = kernel.dmesg().map(({ text }) => text)
  assert.equal(
    log.filter((text) => text.startsWith('connector: broken failed: Error: no')).length,
    2,
  )
  assert.match(log.join('\n'), /connector: slow returned a promise/)
  assert.match(log.join('\n'), /connector: slow failed: Error: later/)
})

test('a callback may take itself away while it runs', async () => {
  await using kernel = new Kernel()
  let calls = 0
  kernel.connector.addCallback(ID, 'once', () => {
    calls++
    kernel.connector.delCallback(ID)
  })
  const socket = await open(kernel)
  socket.send([datagram(ID)])
  socket.send([datagram(ID)])
  assert.equal(calls, 1)
})

test('netlinkSend: with neither port nor group to the group of the id; unknown ENODEV, nobody ESRCH', async () => {
  await using kernel = new Kernel()
  const { connector } = kernel
  assert.equal(connector.netlinkSend(ID), -19)
  connector.addCallback(ID, 'test', () => {})
  assert.equal(connector.netlinkSend(ID), -3)
  const socket = await open(kernel, [20])
  assert.equal(connector.netlinkSend(ID), 0)
  assert.equal(connector.netlinkSend(ID, { group: 21 }), -3)
  assert.equal(receive(socket).length, 1)
})

test('netlinkSend: a port alone is a unicast, with a group it is left out', async () => {
  await using kernel = new Kernel()
  const { connector } = kernel
  const one = await open(kernel, [20], 101)
  const two = await open(kernel, [20], 102)
  assert.ok(connector.netlinkSend(ID, { portid: 101 }) > 0)
  assert.deepEqual([receive(one).length, receive(two).length], [1, 0])
  assert.equal(connector.netlinkSend(ID, { portid: 101, group: 20 }), 0)
  assert.deepEqual([receive(one).length, receive(two).length], [0, 1])
  assert.equal(connector.netlinkSend(ID, { portid: 999 }), -111)
})

test('netlinkSend: a member that reads too slowly; ENOBUFS for one that wants the sender to know', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel, [20])
  const data = new Uint8Array(16000)
  let sent = 0
  while (kernel.connector.netlinkSend({ ...ID, data }, { group: 20 }) === 0) sent++
  assert.ok(sent > 1 && sent < 100)
  await socket.setOption('broadcastError', true)
  assert.equal(kernel.connector.netlinkSend({ ...ID, data }, { group: 20 }), -105)
  assert.equal(socket.receive(new Uint8Array(10)), -105)
})

test('netlinkSendMult: several messages in one datagram; a filter spares members', async () => {
  await using kernel = new Kernel()
  const one = await open(kernel, [20], 101)
  const two = await open(kernel, [20], 102)
  const msgs = [
    { ...ID, seq: 1, data: bytes(1) },
    { ...ID, seq: 2, data: bytes(2, 3) },
  ]
  const filter = ({ portid }: { portid: number }) => portid === 102
  assert.equal(kernel.connector.netlinkSendMult(msgs, { group: 20, filter }), 0)
  const [got] = receive(one)
  assert.equal(got?.data.length, 1 + 20 + 2)
  assert.deepEqual(receive(two), [])
  assert.throws(() => kernel.connector.netlinkSendMult([]), TypeError)
})

test('netlinkSend: what is no message is an EncodeError, and nothing is sent', async () => {
  await using kernel = new Kernel()
  const socket = await open(kernel, [20])
  const { connector } = kernel
  for (const bad of [
    { idx: -1, val: 1 },
    { idx: 1, val: 1.5 },
    { ...ID, data: new Uint8Array(65536) },
  ]) {
    assert.throws(() => connector.netlinkSend(bad, { group: 20 }), { code: 'NETLINK_ENCODE' })
  }
  assert.deepEqual(receive(socket), [])
})

test('the connector is in the first namespace alone: elsewhere socket succeeds, send is ECONNREFUSED', async () => {
  await using kernel = new Kernel()
  const socket = await kernel
    .transport({ net: kernel.addNet('blue') })
    .open({ protocol: NETLINK_CONNECTOR })
  assert.equal(socket.send([datagram(ID)]), -111)
})

const nobody = { uid: 1000, gid: 1000, capabilities: new Set<never>() }
for (const [rule, allowed, refused] of [
  ['linux', [1, 3, 5, 31], [2, 4, 20]],
  ['intended', [1], [2, 3, 5, 31]],
] as const) {
  test(`joining without CAP_NET_ADMIN, as ${rule}: ${allowed} but not ${refused}`, async () => {
    await using kernel = new Kernel()
    kernel.connector.bindRule = rule
    const socket = await kernel
      .transport({ credentials: nobody })
      .open({ protocol: NETLINK_CONNECTOR })
    for (const group of allowed) await socket.join(group)
    for (const group of refused) await assert.rejects(socket.join(group), { code: 'EPERM' })
    const admin = await open(kernel)
    for (const group of refused) await admin.join(group)
  })
}

test('any message arrives as it was sent, both ways', async () => {
  await using kernel = new Kernel()
  const heard: CnMsg[] = []
  kernel.connector.addCallback(ID, 'test', (msg) => heard.push(msg))
  const socket = await open(kernel, [20])
  const u32 = fc.integer({ min: 0, max: 0xffffffff })
  const u16 = fc.integer({ min: 0, max: 0xffff })
  fc.assert(
    fc.property(u32, u32, u16, fc.uint8Array({ maxLength: 300 }), (seq, ack, flags, data) => {
      const msg = { ...ID, seq, ack, flags, data }
      socket.send([datagram(msg)])
      assert.deepEqual(heard.pop(), msg)
      kernel.connector.netlinkSend(msg)
      assert.deepEqual(receive(socket), [
        {
          type: 3,
          flags: 0,
          seq,
          portid: 0,
          group: 20,
          head: { ...ID, seq, ack, len: data.length, flags },
          data: [...data],
        },
      ])
    }),
  )
})

test('any datagram is survived', async () => {
  await using kernel = new Kernel()
  kernel.connector.addCallback(ID, 'test', () => {})
  const socket = await open(kernel)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (part) => {
      assert.equal(socket.send([part]), part.length)
    }),
  )
})
