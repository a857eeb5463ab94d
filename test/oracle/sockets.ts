/** What the oracle asks of kernel sockets, messages, connector and releases, asked of nlkit's. */
import type { Kernel } from 'nlkit/kernel'
import * as c from 'nlkit/kernel/compat'
import type { Say } from './say.ts'

const UNIT = 23
const OTHER = 24
const { MSG_DONTWAIT, GFP_KERNEL } = c
const NETLINK_ROUTE = 0
const NETLINK_USERSOCK = 2
const NETLINK_GENERIC = 16
const NLM_F_REQUEST = 1
const ROOT = { pid: 0, uid: 0, gid: 0, capabilities: 'all' } as const

const yes = (value: unknown): number => (value ? 1 : 0)

/** A message with `payload` bytes. */
function message(payload: number): c.sk_buff {
  const skb = c.nlmsg_new(payload, GFP_KERNEL)
  c.nlmsg_put(skb, 0, 0, 16, payload, 0)
  return skb
}

/** Counts what a kernel socket is given. */
class Inputs {
  count = 0
  length = 0
  readonly input = (skb: c.sk_buff): void => {
    this.count++
    this.length = skb.length
  }
  get text(): string {
    return `${this.count} with ${this.length} bytes`
  }
}

export async function kernelSockets(say: Say, kernel: Kernel): Promise<void> {
  const k = c.compat(kernel)
  const inputs = new Inputs()
  const cfg = { input: inputs.input, groups: 3 }
  const create = (unit: number) => k.netlink_kernel_create(k.init_net, unit, cfg)
  say('create: unit 32', yes(create(32)))
  say('create: unit -1', yes(create(-1)))
  const sk = create(UNIT)
  say('create', yes(sk))
  say('create: the same unit again', yes(create(UNIT)))
  say('create: NETLINK_ROUTE', yes(create(NETLINK_ROUTE)))
  if (!sk) return
  const unicast = (portid: number, flags: number) =>
    k.netlink_unicast(sk, message(8), portid, flags)
  const broadcast = (group: number) => k.netlink_broadcast(sk, message(8), 0, group, GFP_KERNEL)
  const notify = (portid: number, group: number, report: number) =>
    k.nlmsg_notify(sk, message(8), portid, group, report, GFP_KERNEL)
  say('has_listeners: nobody', k.netlink_has_listeners(sk, 1))
  say('has_listeners: group 0', k.netlink_has_listeners(sk, 0))
  say('has_listeners: beyond the groups', k.netlink_has_listeners(sk, 100))
  say('unicast: nobody has the port, MSG_DONTWAIT', await unicast(4711, MSG_DONTWAIT))
  say('unicast: nobody has the port, may wait', await unicast(4711, 0))
  say('unicast: to the kernel itself', await unicast(0, MSG_DONTWAIT))
  say('unicast: input ran in the call', inputs.text)
  say('nlmsg_unicast: nobody', await unicast(4711, MSG_DONTWAIT))
  say('broadcast: nobody in group 1', broadcast(1))
  say('broadcast: group 0', broadcast(0))
  say('broadcast: group 100', broadcast(100))
  say('nlmsg_multicast: nobody', broadcast(1))
  say('nlmsg_notify: nobody, no report', notify(0, 1, 0))
  say('nlmsg_notify: nobody, report to an absent port', notify(4711, 1, 1))
  say('nlmsg_notify: no group, no report', notify(4711, 0, 0))
  say('nlmsg_notify: no group, report to an absent port', notify(4711, 0, 1))
  say('set_err: nobody', k.netlink_set_err(sk, 0, 1, -105))
  const other = k.netlink_kernel_create(k.init_net, OTHER, {})
  say('create: without input', yes(other))
  if (other) {
    const name = 'unicast: to a kernel socket without input'
    say(name, await k.netlink_unicast(other, message(8), 0, MSG_DONTWAIT))
    k.netlink_kernel_release(other)
  }
  k.netlink_kernel_release(sk)
  const next = create(UNIT)
  say('create: again after its release', yes(next))
  if (next) k.netlink_kernel_release(next)
}

export function builders(say: Say): void {
  say('NLMSG_LENGTH(5)', c.NLMSG_LENGTH(5))
  say('NLMSG_SPACE(5)', c.NLMSG_SPACE(5))
  say('NLMSG_ALIGN(17)', c.NLMSG_ALIGN(17))
  say('nla_total_size(5)', c.nla_total_size(5))
  say('nla_attr_size(5)', c.nla_attr_size(5))
  say('nla_padlen(5)', c.nla_padlen(5))
  say('nlmsg_total_size(5)', c.nlmsg_total_size(5))
  let skb = c.nlmsg_new(8, GFP_KERNEL)
  let nlh = c.nlmsg_put(skb, 1, 2, 16, c.skb_tailroom(skb), 3)
  say('nlmsg_put: more than there is', `${yes(nlh)} length ${skb.length}`)
  nlh = c.nlmsg_put(skb, 1, 2, 16, 5, 3)
  if (!nlh) return
  say('nlmsg_put', `${yes(nlh)} nlmsg_len ${nlh.nlmsg_len} length ${skb.length}`)
  const { nlmsg_type, nlmsg_flags, nlmsg_seq, nlmsg_pid } = nlh
  say('nlmsg_put: header', `${nlmsg_type} ${nlmsg_flags} ${nlmsg_seq} ${nlmsg_pid}`)
  say('nlmsg_hdr is the first', yes(c.nlmsg_hdr(skb).offset === nlh.offset))
  say('nlmsg_len', nlh.nlmsg_len - c.NLMSG_LENGTH(0))
  c.nlmsg_end(skb, nlh)
  say('nlmsg_end', nlh.nlmsg_len)
  c.nlmsg_cancel(skb, nlh)
  say('nlmsg_cancel', skb.length)

  skb = c.nlmsg_new(64, GFP_KERNEL)
  c.nlmsg_put(skb, 0, 0, 16, 0, 0)
  say('nla_put 5 bytes', c.nla_put(skb, 1, new Uint8Array(5)))
  say('nla_put: length', skb.length)
  say('nla_put_u8', c.nla_put_u8(skb, 2, 7))
  say('nla_put_string', c.nla_put_string(skb, 3, 'abc'))
  say('after a u8 and a string: length', skb.length)
  say('nla_put_flag', c.nla_put_flag(skb, 4))
  let nest = c.nla_nest_start(skb, 5) ?? 0
  say('nla_nest_start: type', skb.view.getUint16(nest + 2, true))
  c.nla_put_u32(skb, 1, 9)
  c.nla_nest_end(skb, nest)
  say('nla_nest_end: length', skb.view.getUint16(nest, true))
  nest = c.nla_nest_start_noflag(skb, 6) ?? 0
  say('nla_nest_start_noflag: type', skb.view.getUint16(nest + 2, true))
  c.nla_nest_cancel(skb, nest)
  say('nla_nest_cancel: length', skb.length)
  say('nla_put without room', c.nla_put(skb, 7, new Uint8Array(c.skb_tailroom(skb))))
  say('nla_put without room: length', skb.length)
}

type Part = [len: number, type: number, flags: number] | number

/** Which messages of a datagram netlink_rcv_skb() hands on: headers, or bytes of zeros. */
const DATAGRAMS: Record<string, Part[]> = {
  nothing: [],
  '8 bytes': [8],
  'one request': [[16, 16, NLM_F_REQUEST]],
  'two requests': [
    [16, 16, NLM_F_REQUEST],
    [16, 17, NLM_F_REQUEST],
  ],
  'three, the second a control message': [
    [16, 16, NLM_F_REQUEST],
    [16, 3, NLM_F_REQUEST],
    [16, 18, NLM_F_REQUEST],
  ],
  'no request flag': [
    [16, 16, 0],
    [16, 17, NLM_F_REQUEST],
  ],
  'type 15': [[16, 15, NLM_F_REQUEST]],
  'type 0': [[16, 0, NLM_F_REQUEST]],
  'length 15': [
    [15, 16, NLM_F_REQUEST],
    [16, 17, NLM_F_REQUEST],
  ],
  'length 0': [[0, 16, NLM_F_REQUEST]],
  'length beyond the datagram': [[17, 16, NLM_F_REQUEST]],
  'the second beyond the datagram': [
    [16, 16, NLM_F_REQUEST],
    [100, 17, NLM_F_REQUEST],
  ],
  'unaligned length, the next behind the padding': [
    [17, 16, NLM_F_REQUEST],
    4,
    [16, 17, NLM_F_REQUEST],
  ],
  'unaligned length at the end': [[18, 16, NLM_F_REQUEST], 2],
  'trailing zeros': [[16, 16, NLM_F_REQUEST], 32],
  'trailing 8 bytes': [[16, 16, NLM_F_REQUEST], 8],
}

export function rcv(say: Say): void {
  for (const [name, parts] of Object.entries(DATAGRAMS)) {
    const skb = c.alloc_skb(512, GFP_KERNEL)
    for (const part of parts) {
      if (typeof part === 'number') {
        c.skb_put(skb, part)
        continue
      }
      const at = skb.length
      c.skb_put(skb, 16)
      const nlh = new c.nlmsghdr(skb.bytes, at)
      nlh.nlmsg_len = part[0]
      nlh.nlmsg_type = part[1]
      nlh.nlmsg_flags = part[2]
    }
    let seen = 0
    let types = 0
    const r = c.netlink_rcv_skb(skb, (_skb, nlh) => {
      seen++
      types = types * 100 + nlh.nlmsg_type
      return 0
    })
    say(`rcv_skb: ${name}`, `${r} seen ${seen} types ${types}`)
  }
}

export function connector(say: Say, kernel: Kernel): void {
  const k = c.compat(kernel)
  const one = { idx: 0x1234, val: 1 }
  const two = { idx: 0x1234, val: 2 }
  const absent = { idx: 0x7777, val: 7 }
  const data = new Uint8Array(4)
  let calls = 0
  const called = (): void => void calls++
  const add = (id: c.cb_id, name: string) => k.cn_add_callback(id, name, called)
  const send = (id: c.cb_id, portid: number, group: number) =>
    k.cn_netlink_send({ id, data }, portid, group, GFP_KERNEL)
  say('cn_add_callback', add(one, 'nlkit-one'))
  say('cn_add_callback: the same id', add(one, 'nlkit-other'))
  say('cn_add_callback: another val', add(two, 'nlkit-two'))
  say("cn_netlink_send: nobody in the id's group", send(one, 0, 0))
  say('cn_netlink_send: nobody in group 5', send(one, 0, 5))
  say('cn_netlink_send: an absent port', send(one, 4711, 0))
  say('cn_netlink_send: an absent port and a group', send(one, 4711, 5))
  say('cn_netlink_send: an unknown id', send(absent, 0, 0))
  say('cn_netlink_send: an unknown id to a group', send(absent, 0, 5))
  say('cn_netlink_send: an unknown id to an absent port', send(absent, 4711, 0))
  k.cn_del_callback(absent)
  k.cn_del_callback(one)
  say('cn_add_callback: free again', add(one, 'nlkit-one'))
  k.cn_del_callback(one)
  k.cn_del_callback(two)
  say('cn_netlink_send: an id that is gone', send(one, 0, 0))
  say('connector: callbacks called meanwhile', calls)
}

export async function notifier(say: Say, kernel: Kernel): Promise<void> {
  const k = c.compat(kernel)
  let released = ''
  const block: c.notifier_block = {
    notifier_call(_nb, event, data) {
      const { protocol, portid } = data as c.netlink_notify
      released += `[${event} ${protocol} ${portid}]`
      return c.NOTIFY_DONE
    },
  }
  const tell = (name: string): void => {
    say(name, released || 'nothing')
    released = ''
  }
  const socket = (protocol: number, portid: number) => {
    const sk = kernel.netlink.socket(kernel.initNet, protocol, ROOT)
    if (portid) sk.bind(portid, 0)
    return sk
  }
  say('netlink_register_notifier', k.netlink_register_notifier(block))
  say('netlink_register_notifier twice', k.netlink_register_notifier(block))
  socket(NETLINK_USERSOCK, 0).close()
  tell('URELEASE: a socket that was never bound')
  socket(NETLINK_USERSOCK, 77001).close()
  tell('URELEASE: a bound socket')
  socket(NETLINK_GENERIC, 77002).close()
  tell('URELEASE: of another protocol')
  const one = socket(NETLINK_USERSOCK, 77003)
  const two = socket(NETLINK_USERSOCK, 0)
  say('bind: a port that is taken', two.bind(77003, 0))
  two.close()
  tell('URELEASE: a bind that failed')
  say('bind: another port', one.bind(77004, 0))
  say('bind: the same port', one.bind(77003, 0))
  one.close()
  tell('URELEASE: once for one port')
  const next = socket(NETLINK_USERSOCK, 77003)
  say('bind: a released port', yes(next.isBound))
  next.close()
  tell('URELEASE: its next holder')
  say('netlink_unregister_notifier', await k.netlink_unregister_notifier(block))
  say('netlink_unregister_notifier twice', await k.netlink_unregister_notifier(block))
  socket(NETLINK_USERSOCK, 77005).close()
  tell('URELEASE: nobody listens')
}

export async function deliveries(say: Say, kernel: Kernel): Promise<void> {
  const k = c.compat(kernel)
  const inputs = new Inputs()
  let hooks = ''
  const sk = k.netlink_kernel_create(k.init_net, UNIT, {
    input: inputs.input,
    groups: 40,
    bind(_net, group) {
      hooks += `+${group}`
      return group === 3 ? -13 : 0
    },
    unbind(_net, group) {
      hooks += `-${group}`
    },
  })
  if (!sk) return
  const tell = (name: string, r: number): void => {
    say(name, `${r} ${hooks || 'nothing'}`)
    hooks = ''
  }
  const one = kernel.netlink.socket(kernel.initNet, UNIT, ROOT)
  const two = kernel.netlink.socket(kernel.initNet, UNIT, ROOT)
  type User = typeof one
  const receive = (from: User, len = 256): number => {
    const length = from.receive(new Uint8Array(len))
    return length < 0 ? length : Math.min(length, len)
  }
  const send = (from: User, portid: number, groups: number, len: number): number => {
    const group = groups === 0 ? 0 : 32 - Math.clz32(groups & -groups)
    return from.send([new Uint8Array(len)], { portid, group })
  }
  const unicast = async (portid: number, payload = 8) =>
    await k.netlink_unicast(sk, message(payload), portid, MSG_DONTWAIT)
  const broadcast = (portid: number) => k.netlink_broadcast(sk, message(8), portid, 1, GFP_KERNEL)
  const notify = (portid: number, group: number, report: number) =>
    k.nlmsg_notify(sk, message(8), portid, group, report, GFP_KERNEL)

  tell('bind hook: groups 1 and 2', one.bind(501, 3))
  tell('bind hook: groups 1 to 3, the third refuses', two.bind(502, 7))
  tell('bind hook: port without groups', two.bind(502, 0))
  tell('bind hook: again, with fewer', one.bind(501, 1))
  tell('bind hook: group 2 by another', two.bind(502, 2))
  for (const group of [1, 2, 3]) {
    say(`has_listeners: group ${group}`, k.netlink_has_listeners(sk, group))
  }
  say('unicast: to a port', await unicast(501))
  say('receive', receive(one))
  say('receive: nothing left', receive(one))
  say('broadcast: group 1', broadcast(0))
  say('receive: the member', receive(one))
  say('receive: no member', receive(two))
  say('broadcast: without the only member', broadcast(501))
  say('nlmsg_notify: with report to a member', notify(501, 1, 1))
  say('receive: one copy', receive(one))
  say('receive: no second copy', receive(one))
  say('nlmsg_notify: without report', notify(501, 1, 0))
  say('receive: as a member', receive(one))
  say('nlmsg_notify: no group, report', notify(502, 0, 1))
  say('receive: the report', receive(two))
  say('set_err: ENOBUFS to group 1', k.netlink_set_err(sk, 0, 1, -105))
  say('receive: what was set', receive(one))
  say('receive: once', receive(one))
  say('set_err: not to that port', k.netlink_set_err(sk, 501, 1, -5))
  say('receive: spared', receive(one))
  inputs.count = 0
  say('send: to the kernel', send(one, 0, 0, 20))
  say('send: input ran', inputs.text)
  say('send: to an absent port', send(one, 999, 0, 20))
  say('send: to a peer', send(one, 502, 0, 20))
  say("receive: the peer's", receive(two))
  say('send: to oneself', send(one, 501, 0, 20))
  say("receive: one's own", receive(one))
  say('send: nothing', send(one, 0, 0, 0))
  say('send: to group 2 and the kernel', send(one, 0, 2, 24))
  say("receive: the group's", receive(two))
  send(one, 502, 0, 40)
  say('receive: cut', receive(two, 16))
  say('receive: the rest is lost', receive(two))

  let r = 0
  for (let i = 0; i < 10_000 && r >= 0; i++) r = await unicast(501, 1000)
  say('unicast: a full queue', r)
  say('receive: the overrun first', receive(one))
  say('receive: then what was queued', yes(receive(one) > 0))
  say('unicast: to a congested socket', await unicast(501))
  say('broadcast: to a congested socket', broadcast(0))
  while (receive(one) > 0);
  say('unicast: after it has read all', await unicast(501))
  two.close()
  tell('unbind hook: at close', 0)
  say('unicast: to a closed socket', await unicast(502))
  say('has_listeners: its group', k.netlink_has_listeners(sk, 2))
  k.netlink_kernel_release(sk)
  say("send: the kernel's socket is gone", send(one, 0, 0, 20))
  say('receive: what came before', receive(one))
  one.close()
  let opened = 1
  try {
    kernel.netlink.socket(kernel.initNet, UNIT, ROOT)
  } catch {
    opened = 0
  }
  say('open: a protocol that nobody serves', opened)
}

export function genetlink(say: Say, kernel: Kernel): void {
  const k = c.compat(kernel)
  const op: c.genl_ops = { cmd: 1, doit: () => 0 }
  const a: c.genl_family = { name: 'nlkit_oracle', ops: [op] }
  const b: c.genl_family = { name: 'nlkit_oracle', ops: [op] }
  const empty: c.genl_family = { name: 'nlkit_empty', ops: [{ cmd: 1 }] }
  const twice: c.genl_family = { name: 'nlkit_twice', ops: [op, op] }
  say('genl_register_family', k.genl_register_family(a))
  say('genl_register_family: the name again', k.genl_register_family(b))
  say('genl_register_family: neither doit nor dumpit', k.genl_register_family(empty))
  say('genl_register_family: a command twice', k.genl_register_family(twice))
  say('genl_unregister_family', k.genl_unregister_family(a))
  say('genl_register_family: the name is free', k.genl_register_family(b))
  say('genl_unregister_family: the second', k.genl_unregister_family(b))
}
