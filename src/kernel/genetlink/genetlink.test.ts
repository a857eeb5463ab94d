/** Generic netlink: numbers, dispatch, nlctrl. Errnos, texts and bytes are those of Linux 6.18. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NetlinkError } from '../../errors.ts'
import { nlctrl } from '../../families/nlctrl.ts'
import { attrs, type GenlFamily, genlFamily, message, string, u8, u32 } from '../../schema/index.ts'
import {
  GENL_ADMIN_PERM,
  GENL_UNS_ADMIN_PERM,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_EXT_ACK,
  NETLINK_GENERIC,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLM_F_ROOT,
  SOL_NETLINK,
} from '../../wire/constants.ts'
import { MessageWalker, viewOf } from '../../wire/message.ts'
import { Writer } from '../../wire/writer.ts'
import { type Credentials, UserNamespace } from '../credentials.ts'
import { EAGAIN, EINVAL, EPERM, ESRCH } from '../errno.ts'
import { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { UserSocket } from '../netlink/user-socket.ts'
import type { FamilyHandlers } from './family.ts'
import { FamilyIds, GroupIds } from './ids.ts'

const ACK = NLM_F_REQUEST | NLM_F_ACK
const root: Credentials = { pid: 555, uid: 0, gid: 0, capabilities: 'all' }
const nobody: Credentials = { pid: 556, uid: 1000, gid: 1000, capabilities: new Set() }

const doorAttrs = attrs('DOOR_A_', {
  id: [1, u32],
  name: [2, string.max(15)],
  /** 0 closed, 1 open. */
  state: [3, u8.max(1)],
})
const door = message(doorAttrs)
const doors = genlFamily({
  name: 'door',
  version: 3,
  groups: ['events', 'admin'],
  ops: {
    get: {
      cmd: 1,
      replyCmd: 2,
      do: { request: message(doorAttrs.only('id!')), reply: door },
      dump: { reply: door },
    },
    open: { cmd: 3, flags: GENL_ADMIN_PERM, do: { request: message(doorAttrs.only('id!')) } },
    lock: { cmd: 4, flags: GENL_UNS_ADMIN_PERM, do: {} },
    wait: { cmd: 5, async: true, do: { request: message(doorAttrs.only('id')), reply: door } },
  },
  notifications: { changed: { cmd: 9, group: 'events', body: door } },
})
const handlers: FamilyHandlers<typeof doors> = {
  get: {
    doit({ id }) {
      if (id === 404) throw new NetlinkError('ENODEV', { extack: { attribute: 'id' } })
      return { id, name: 'blue' }
    },
    *dumpit() {
      yield { id: 1 }
      yield { id: 2 }
    },
  },
  open: { doit: () => undefined },
  lock: { doit: () => undefined },
}

/** A client of generic netlink, by hand. */
function client(kernel: Kernel, { as = root, net }: { as?: Credentials; net?: Net } = {}) {
  const sock = kernel.netlink.socket(net ?? kernel.initNet, NETLINK_GENERIC, as)
  assert.equal(sock.bind(), 0)
  sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
  const send = (type: number, flags: number, ...body: number[]): void => {
    const w = new Writer()
    const mark = w.messageStart(type, flags, 9, 0)
    w.put(Uint8Array.from(body))
    w.messageEnd(mark)
    assert.ok(sock.send([w.finish()]) > 0)
  }
  /** Type, genlmsghdr and payload of each message; errno and extack's bytes of verdicts. */
  const ask = (type: number, flags: number, ...body: number[]): string[] => {
    send(type, flags, ...body)
    return readAll(sock)
  }
  return { sock, send, ask }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function readAll(sock: UserSocket): string[] {
  const buffer = new Uint8Array(65536)
  const all: string[] = []
  for (;;) {
    const length = sock.receive(buffer)
    if (length === -EAGAIN) return all
    assert.ok(length > 0)
    const walker = new MessageWalker(viewOf(buffer), length)
    const line: string[] = []
    while (walker.next()) {
      const { type, payload, end, view, flags } = walker
      if (type > 3) {
        line.push(`${type}:${hex(buffer.subarray(payload, end))}`)
        continue
      }
      const errno = view.getInt32(payload, true)
      const request = view.getUint32(payload + 4, true)
      const capped = (flags & 0x100) !== 0 || type === 3
      const behind = payload + (type === 3 ? 4 : capped ? 20 : 4 + ((request + 3) & ~3))
      line.push(`${errno}${text(buffer.subarray(behind, end))}`)
    }
    all.push(line.join(' '))
  }
}

/** An extack's message, offset and missing attribute, and whether it has a policy. */
function text(tlvs: Uint8Array): string {
  const view = viewOf(tlvs)
  let line = ''
  for (let at = 0; at < tlvs.length; at += (view.getUint16(at, true) + 3) & ~3) {
    const type = view.getUint16(at + 2, true) & 0x3fff
    const end = at + view.getUint16(at, true)
    if (type === 1) line += ` ${Buffer.from(tlvs.subarray(at + 4, end - 1)).toString()}`
    else if (type === 4) line += ' policy'
    else line += ` ${type === 2 ? 'at' : 'missing'} ${view.getUint32(at + 4, true)}`
  }
  return line
}

const name = (value: string, nul = true): number[] => {
  const w = new Writer()
  w.attrBytes(2, Buffer.from(nul ? `${value}\0` : value))
  return [...w.finish()]
}
const FAILED = 'Attribute failed policy validation'
const REPLY = '16:01020000'

test('2.5: GETFAMILY, as Linux judges it', () => {
  const { ask } = client(new Kernel())
  const get = (...body: number[]) => ask(16, NLM_F_REQUEST, 3, 1, 0, 0, ...body)
  const verdict = (...body: number[]) => get(...body)[0]?.slice(0, 11 + 40)
  assert.deepEqual(get(), ['-22'])
  assert.deepEqual(get(...name('no-such-family')), ['-2'])
  assert.deepEqual(get(6, 0, 1, 0, 99, 0, 0, 0), ['-2'])
  assert.deepEqual(get(...name('a'.repeat(16))), [`-22 ${FAILED} at 20 policy`])
  assert.deepEqual(get(...name('a'.repeat(15))), ['-2'])
  assert.deepEqual(get(...name('nlctrl', false)), [`-22 ${FAILED} at 20 policy`])
  assert.deepEqual(get(...name('', false)), [`-22 ${FAILED} at 20 policy`])
  assert.deepEqual(get(5, 0, 1, 0, 16, 0, 0, 0), [`-34 ${FAILED} at 20 policy`])
  for (const accepted of [
    [8, 0, 1, 0, 16, 0, 0, 0],
    [6, 0, 1, 0, 99, 0, 0, 0, ...name('nlctrl')],
    [...name('nlctrl'), 8, 0, 99, 0, 1, 2, 3, 4],
    [...name('nlctrl'), 0, 0],
  ]) {
    assert.ok(verdict(...accepted)?.startsWith(REPLY), String(accepted))
  }
})

test('2.5: nlctrl describes itself', () => {
  const { ask } = client(new Kernel())
  const [reply, ack] = ask(16, ACK, 3, 77, 0, 7, ...name('nlctrl'))
  assert.equal(
    reply,
    [
      REPLY,
      '0b0002006e6c6374726c0000',
      '0600010010000000',
      '0800030002000000',
      '0800040000000000',
      '0800050000000000',
      '2c000600',
      '140001000800010003000000080002000e000000',
      '14000200080001000a000000080002000c000000',
      '1c000700',
      '180001000800020010000000',
      '0b0001006e6f746966790000',
    ].join(''),
  )
  assert.equal(ack, '0')
})

test('what is behind the attributes is told of, and refused where the policy is strict', () => {
  const { ask } = client(new Kernel())
  const LEFT = 'bytes leftover after parsing attributes'
  const junk = [200, 0, 1, 0]
  const get = (flags: number, ...body: number[]) => ask(16, flags, 3, 1, 0, 0, ...body)
  for (const tail of [[0], [0, 0, 0], junk]) {
    const [reply, ack] = get(ACK, ...name('nlctrl'), ...tail)
    assert.ok(reply?.startsWith(REPLY))
    assert.equal(ack, `0 ${LEFT}`)
    assert.deepEqual(get(ACK, ...name('nobody'), ...tail), [`-2 ${LEFT}`])
    assert.deepEqual(get(ACK | NLM_F_DUMP, ...name('nlctrl'), ...tail), [`-22 ${LEFT}`])
  }
  assert.deepEqual(get(ACK, ...junk, ...name('nlctrl')), [`-22 ${LEFT}`])
  assert.deepEqual(get(ACK | NLM_F_DUMP, 5, 0, 1, 0, 16, 0, 0, 0), [
    '-22 invalid attribute length at 20 policy',
  ])
  assert.deepEqual(get(ACK | NLM_F_DUMP, 8, 0, 99, 0, 1, 2, 3, 4), [
    '-22 Unknown attribute type at 20',
  ])
})

test('2.4: the order of checks', () => {
  const kernel = new Kernel()
  const { ask } = client(kernel)
  const ambiguous = '-22 ambiguous or reserved bits set in nlmsg_flags'
  assert.deepEqual(ask(999, NLM_F_REQUEST, 1, 1, 0, 0), ['-2'])
  assert.deepEqual(ask(16, NLM_F_REQUEST), ['-22'])
  assert.deepEqual(ask(16, NLM_F_REQUEST, 3, 1, 0), ['-22'])
  for (const cmd of [0, 1, 2, 4, 5, 6, 7, 8, 9, 200]) {
    assert.deepEqual(ask(16, NLM_F_REQUEST, cmd, 1, 0, 0), ['-95'], `command ${cmd}`)
  }
  assert.deepEqual(ask(16, NLM_F_REQUEST, 9, 1, 7, 0), ['-95'])
  assert.deepEqual(ask(16, NLM_F_REQUEST, 200, 1, 7, 0), ['-22 genlmsghdr.reserved field is not 0'])
  assert.deepEqual(ask(16, NLM_F_REQUEST | 0x800, 200, 1, 0, 0), [ambiguous])
  assert.deepEqual(ask(16, NLM_F_REQUEST | NLM_F_ROOT, 200, 1, 0, 0), [ambiguous])
  assert.ok(
    ask(16, NLM_F_REQUEST | NLM_F_ROOT, 3, 1, 0, 0, ...name('nlctrl'))[0]?.startsWith(REPLY),
  )
})

test('requests and dumps of a family, strictly judged', () => {
  const kernel = new Kernel()
  const { id } = kernel.genl.registerFamily(doors, handlers)
  const { ask } = client(kernel)
  const get = (...body: number[]) => ask(id, ACK, 1, 0, 0, 0, ...body)
  assert.deepEqual(get(8, 0, 1, 0, 7, 0, 0, 0), [
    `${id}:02030000080001000700000009000200626c756500000000`,
    '0',
  ])
  assert.deepEqual(get(8, 0, 1, 0, 0x94, 1, 0, 0), ['-19 at 20'])
  assert.deepEqual(get(), ['-22 missing 1'])
  assert.deepEqual(get(5, 0, 1, 0, 7, 0, 0, 0), ['-22 invalid attribute length at 20 policy'])
  assert.deepEqual(get(8, 0, 9, 0, 7, 0, 0, 0), ['-22 Unknown attribute type at 20'])
  assert.deepEqual(get(5, 0, 3, 0, 1, 0, 0, 0), ['-22 Unknown attribute type at 20'])
  assert.deepEqual(get(8, 0, 1, 0x80, 7, 0, 0, 0), ['-22 NLA_F_NESTED not expected at 20 policy'])
  assert.deepEqual(get(8, 0, 1, 0, 7, 0, 0, 0, 1, 2), [
    '-22 bytes leftover after parsing attributes',
  ])
  assert.deepEqual(ask(id, ACK | NLM_F_DUMP, 1, 0, 0, 0), [
    `${id}:020300000800010001000000 ${id}:020300000800010002000000 0`,
  ])
  assert.deepEqual(ask(id, ACK | NLM_F_DUMP, 3, 0, 0, 0), ['-95'])
  assert.deepEqual(ask(id, ACK | NLM_F_DUMP, 1, 0, 0, 0, 8, 0, 1, 0, 1, 0, 0, 0), [
    `-22 ${FAILED} at 20`,
  ])
  assert.deepEqual(ask(id, ACK, 4, 0, 0, 0), ['0'])
  assert.deepEqual(ask(id, ACK, 4, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0), [
    '-22 Unknown attribute type at 20',
  ])
  assert.deepEqual(ask(id, ACK, 5, 0, 0, 0), ['-95'], 'an op without handler is not served')
})

test('permission comes before the attributes; ADMIN_PERM means the first user namespace', () => {
  const kernel = new Kernel()
  const { id } = kernel.genl.registerFamily(doors, handlers)
  const child = new UserNamespace(kernel.initUserNs, 1000)
  const net = kernel.addNet('inner', child)
  const inside: Credentials = { ...root, userNs: child }
  const [OPEN, LOCK] = [3, 4]
  for (const [as, where, cmd, answer] of [
    [root, kernel.initNet, OPEN, '-22 missing 1'],
    [nobody, kernel.initNet, OPEN, '-1'],
    [nobody, kernel.initNet, LOCK, '-1'],
    [inside, net, OPEN, '-1'],
    [inside, net, LOCK, '0'],
    [inside, kernel.initNet, LOCK, '-1'],
  ] as const) {
    assert.deepEqual(client(kernel, { as, net: where }).ask(id, ACK, cmd, 0, 0, 0), [answer])
  }
})

test('a family of the first namespace alone is not there elsewhere', () => {
  const kernel = new Kernel()
  const elsewhere = client(kernel, { net: kernel.addNet() })
  const { id } = kernel.genl.registerFamily(doors, handlers, { netnsok: false })
  assert.deepEqual(elsewhere.ask(id, ACK, 4, 0, 0, 0), ['-2'])
  assert.deepEqual(elsewhere.ask(16, ACK, 3, 0, 0, 0, ...name('door')), ['-2'])
  assert.equal(elsewhere.ask(16, NLM_F_REQUEST | NLM_F_DUMP, 3, 0, 0, 0)[0]?.split(' ').length, 2)
  assert.deepEqual(client(kernel).ask(id, ACK, 4, 0, 0, 0), ['0'])
})

test('a dump of nlctrl: families by ascending id, the end in the same datagram', () => {
  const kernel = new Kernel()
  kernel.genl.registerFamily(doors, handlers)
  const [datagram, ...rest] = client(kernel).ask(16, NLM_F_REQUEST | NLM_F_DUMP, 3, 0, 0, 0)
  assert.deepEqual(rest, [])
  const messages = datagram?.split(' ') ?? []
  assert.deepEqual(
    messages.map((m) => (m === '0' ? m : nlctrlInfo(m).familyName)),
    ['nlctrl', 'door', '0'],
  )
  assert.deepEqual(nlctrlInfo(messages[1] ?? ''), {
    familyName: 'door',
    familyId: 19,
    version: 3,
    hdrsize: 0,
    maxattr: 0,
    ops: [
      { id: 1, flags: 0xe },
      { id: 3, flags: 0xb },
      { id: 4, flags: 0x1a },
    ],
    mcastGroups: [
      { id: 2, name: 'events' },
      { id: 3, name: 'admin' },
    ],
  })
})

function nlctrlInfo(line: string) {
  const bytes = Buffer.from(line.slice(line.indexOf(':') + 1), 'hex')
  return nlctrl.notifications.newFamily.body.decode(viewOf(bytes), 4)
}

test('registration: names, ops, and what is left behind when it fails', () => {
  const kernel = new Kernel()
  const simple = (more: Partial<GenlFamily>): GenlFamily => ({
    ...genlFamily({ name: 'simple', version: 1, ops: { go: { cmd: 1, do: {} } } }),
    ...more,
  })
  const doit = () => undefined
  const register = (family: GenlFamily, serve: object = { go: { doit } }) =>
    kernel.genl.registerFamily(family, serve as FamilyHandlers<GenlFamily>)
  const fails = (code: string, family: GenlFamily, serve?: object) =>
    assert.throws(() => register(family, serve), { code })
  fails('EINVAL', simple({ name: '' }))
  fails('EINVAL', simple({ name: 'a'.repeat(16) }))
  fails('EINVAL', simple({ groups: [''] }))
  fails('EINVAL', simple({}), { go: {} })
  fails('EINVAL', simple({}), { stay: { doit } })
  fails('EINVAL', simple({}), { go: { *dumpit() {} } })
  const twice = { go: { cmd: 1, do: {} }, run: { cmd: 1, do: {} } }
  fails('EINVAL', simple({ ops: twice }), { go: { doit }, run: { doit } })
  fails('EEXIST', simple({ name: 'nlctrl' }))
  const first = register(simple({}))
  assert.equal(first.id, 19, 'nothing was kept of those that failed')
  fails('EEXIST', simple({}))
  first.unregister()
  first.unregister()
  assert.equal(register(simple({})).id, 20, 'a freed id is not used again before the wrap')
})

test('ids: 19 to 1023 in a cycle, three fixed ones, then ENOSPC', () => {
  const ids = new FamilyIds()
  assert.deepEqual(
    ['pmcraid', 'VFS_DQUOT', 'nlctrl', 'nlctrl'].map((each) => ids.alloc(each)),
    [18, 17, 16, undefined],
  )
  const all = Array.from({ length: 1005 }, () => ids.alloc('x'))
  assert.deepEqual([all[0], all.at(-1)], [19, 1023])
  assert.equal(ids.alloc('x'), undefined)
  ids.free(700)
  ids.free(20)
  assert.deepEqual([ids.alloc('x'), ids.alloc('x'), ids.alloc('x')], [20, 700, undefined])
})

test('group numbers: the first run that is long enough; room grows by the word', () => {
  const groups = new GroupIds()
  assert.equal(groups.alloc('nlctrl', 1), 16)
  assert.equal(groups.alloc('NET_DM', 1), 1)
  assert.equal(groups.alloc('a', 2), 2)
  assert.equal(groups.alloc('b', 13), 19, 'between 4 and 16 there is room for twelve')
  assert.equal(groups.alloc('c', 12), 4)
  assert.equal(groups.room, 64)
  assert.equal(groups.alloc('d', 40), 32)
  assert.equal(groups.room, 128)
  groups.free(5)
  assert.equal(groups.alloc('e', 1), 5)
})

test('a thousand families: ids to the last, look-ups by name, ENOSPC, room for new ones', () => {
  const kernel = new Kernel()
  const make = (i: number) =>
    kernel.genl.registerFamily(
      genlFamily({
        name: `family${i}`,
        version: 1,
        groups: ['g'],
        ops: { go: { cmd: 1, do: {} } },
      }),
      { go: { doit: () => undefined } },
    )
  const all = Array.from({ length: 1005 }, (_, i) => make(i))
  assert.throws(() => make(2000), { code: 'ENOSPC' })
  const { ask, sock } = client(kernel)
  for (const i of [0, 500, 1004]) {
    const [reply] = ask(16, NLM_F_REQUEST, 3, 0, 0, 0, ...name(`family${i}`))
    assert.equal(nlctrlInfo(reply ?? '').familyId, 19 + i)
  }
  assert.equal(sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 1000), 0)
  all[3]?.unregister()
  assert.equal(make(3000).id, 22)
})

test('2.5: what is told of a family that comes, and goes', () => {
  const kernel = new Kernel()
  const here = client(kernel)
  const there = client(kernel, { net: kernel.addNet() })
  for (const { sock } of [here, there]) sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 16)
  const told = (sock: UserSocket) => {
    const heard = readAll(sock)
    return heard.map((line) => {
      const bytes = Buffer.from(line.slice(3), 'hex')
      const isGroup = (bytes[0] ?? 0) > 3
      const { newFamily, newMcastGrp } = nlctrl.notifications
      const { familyName, familyId, mcastGroups } = (isGroup ? newMcastGrp : newFamily).body.decode(
        viewOf(bytes),
        4,
      )
      const groups = mcastGroups?.map((group) => `${group.name} ${group.id}`).join(', ')
      return `${line.slice(3, 5)} ${familyName} ${familyId}: ${groups}`
    })
  }
  const door = kernel.genl.registerFamily(doors, handlers)
  const coming = ['01 door 19: events 2, admin 3', '07 door 19: events 2', '07 door 19: admin 3']
  assert.deepEqual(told(here.sock), coming)
  assert.deepEqual(told(there.sock), coming)
  door.unregister()
  const going = ['08 door 19: events 2', '08 door 19: admin 3', '02 door 19: events 2, admin 3']
  assert.deepEqual(told(here.sock), going)
  assert.deepEqual(told(there.sock), going)
  kernel.genl.registerFamily(doors, handlers, { netnsok: false })
  assert.equal(told(here.sock).length, 3)
  assert.deepEqual(told(there.sock), [])
})

test('groups: capability, the family`s hooks, members lost with the family', () => {
  const calls: string[] = []
  const kernel = new Kernel()
  const door = kernel.genl.registerFamily(doors, handlers, {
    groupCapabilities: { admin: 'CAP_NET_ADMIN' },
    bind: (index) => calls.push(`+${index}`),
    unbind: (index) => calls.push(`-${index}`),
  })
  const join = (sock: UserSocket, group: number) =>
    sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, group)
  const weak = client(kernel, { as: nobody }).sock
  const strong = client(kernel).sock
  assert.equal(door.groupId('admin'), 3)
  assert.throws(() => door.groupId('nobody'), { code: 'EINVAL' })
  assert.equal(join(weak, 2), 0)
  assert.equal(join(weak, 3), -EPERM)
  assert.equal(join(strong, 3), 0)
  assert.equal(join(strong, 3), 0)
  assert.equal(join(strong, 60), 0, 'a number that nobody has yet, within the room')
  assert.equal(join(strong, 65), -EINVAL)
  strong.close()
  assert.deepEqual(calls, ['+0', '+1', '+1', '-1'])
  door.unregister()
  kernel.genl.registerFamily(doors, handlers)
  assert.equal(kernel.genl.socketOf(kernel.initNet).hasListeners(2), false)
})

test('notifications: to one namespace, to all, with an echo', () => {
  const kernel = new Kernel()
  const door = kernel.genl.registerFamily(doors, handlers)
  const other = kernel.addNet()
  const here = client(kernel)
  const there = client(kernel, { net: other })
  assert.equal(door.notify('changed', { id: 1 }), -ESRCH)
  for (const { sock } of [here, there]) sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 2)
  assert.equal(door.notify('changed', { id: 1 }), 0)
  assert.equal(door.notify('changed', { id: 2 }, { net: other }), 0)
  assert.equal(door.notify('changed', { id: 3 }, { net: 'all' }), 0)
  const expected = (...ids: number[]) => ids.map((id) => `19:09030000080001000${id}000000`)
  assert.deepEqual(readAll(here.sock), expected(1, 3))
  assert.deepEqual(readAll(there.sock), expected(2, 3))
  const asker = client(kernel)
  const { portid } = asker.sock
  assert.equal(door.notify('changed', { id: 4 }, { portid, seq: 8, report: true }), 0)
  assert.deepEqual(readAll(asker.sock), expected(4))
  assert.deepEqual(readAll(here.sock), expected(4))
  assert.throws(() => door.notify('changed', { state: 2 }), { code: 'NETLINK_ENCODE' })
})

test('an asynchronous op holds up other families, unless they are parallel', async () => {
  const kernel = new Kernel()
  const open: (() => void)[] = []
  const door = kernel.genl.registerFamily(doors, {
    ...handlers,
    wait: {
      async doit({ id }) {
        await new Promise<void>((resolve) => open.push(resolve))
        return { id }
      },
    },
  })
  const free = kernel.genl.registerFamily({ ...doors, name: 'free' }, handlers, {
    parallelOps: true,
  })
  const [one, two, three] = [client(kernel), client(kernel), client(kernel)]
  one.send(door.id, ACK, 5, 0, 0, 0)
  two.send(door.id, ACK, 4, 0, 0, 0)
  three.send(free.id, ACK, 4, 0, 0, 0)
  assert.deepEqual(readAll(three.sock), ['0'])
  assert.deepEqual(readAll(two.sock), [])
  open[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(readAll(one.sock), ['19:05030000', '0'])
  assert.deepEqual(readAll(two.sock), ['0'])
  assert.deepEqual(two.ask(door.id, ACK, 4, 0, 0, 0), ['0'])
})

test('a namespace made later has its families too', () => {
  const kernel = new Kernel()
  const { id } = kernel.genl.registerFamily(doors, handlers)
  assert.deepEqual(client(kernel, { net: kernel.addNet() }).ask(id, ACK, 4, 0, 0, 0), ['0'])
})
