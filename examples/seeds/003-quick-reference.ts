/** The functions of a quick reference: netlink, rtnetlink, generic netlink, memory and locking. */
import { Kernel } from 'nlkit/kernel'
import {
  AF_NETLINK,
  compat,
  GENL_ID_GENERATE,
  GFP_KERNEL,
  type genl_family,
  type genl_ops,
  MSG_DONTWAIT,
  NLMSG_DATA,
  netlink_alloc_skb,
  netlink_rcv_skb,
  nla_nest_end,
  nla_nest_start,
  nla_parse,
  nla_put_string,
  nla_put_u32,
  nlk_sk,
  nlmsg_end,
  nlmsg_hdr,
  nlmsg_new,
  nlmsg_put,
  nlmsghdr,
  Process,
  SOCK_RAW,
  skb_tailroom,
} from 'nlkit/kernel/compat'
import { NETLINK_GENERIC, NETLINK_ROUTE, NLM_F_ACK, NLM_F_DUMP, NLM_F_REQUEST } from 'nlkit/wire'

const NETLINK_EXAMPLE = 30
const RTM_GETEXAMPLE = 102
const RTM_NEWLINK = 16
const RTNLGRP_LINK = 1

await using kernel = new Kernel()
const c = compat(kernel)
const process = new Process(kernel.transport())

/** Sends a request, and reads as many datagrams as are awaited. */
async function ask(protocol: number, type: number, flags: number, body: number[], answers: number) {
  const fd = await process.socket(AF_NETLINK, SOCK_RAW, protocol)
  const nlh = nlmsghdr.alloc(16 + body.length)
  nlh.nlmsg_len = nlh.bytes.length
  nlh.nlmsg_type = type
  nlh.nlmsg_flags = NLM_F_REQUEST | flags
  nlh.nlmsg_seq = 7
  nlh.bytes.set(body, 16)
  await process.sendmsg(fd, { msg_iov: [{ iov_base: nlh, iov_len: nlh.bytes.length }] }, 0)
  const found: nlmsghdr[] = []
  for (let i = 0; i < answers; i++) {
    const buffer = new Uint8Array(8192)
    await process.recvmsg(fd, { msg_iov: [{ iov_base: buffer, iov_len: 8192 }] }, 0)
    found.push(new nlmsghdr(buffer))
  }
  process.close(fd)
  return found
}
const errnoIn = (nlh: nlmsghdr | undefined) =>
  nlh ? new DataView(nlh.bytes.buffer).getInt32(16, true) : undefined

// netlink_kernel_create(), netlink_rcv_skb()
const sk = c.netlink_kernel_create(c.init_net, NETLINK_EXAMPLE, {
  groups: 3,
  input: (skb) => void netlink_rcv_skb(skb, (_skb, nlh) => (nlh.nlmsg_type === 17 ? -22 : 0)),
})
if (!sk) throw new Error('netlink_kernel_create')
console.log('a unit that is taken:', c.netlink_kernel_create(c.init_net, NETLINK_EXAMPLE))
console.log(
  'type 16 with NLM_F_ACK:',
  errnoIn((await ask(NETLINK_EXAMPLE, 16, NLM_F_ACK, [], 1))[0]),
)
console.log('type 17:', errnoIn((await ask(NETLINK_EXAMPLE, 17, 0, [], 1))[0]))

// nlmsg_new(), nlmsg_put(), nlmsg_hdr(), nlk_sk()
const skb = nlmsg_new(8, GFP_KERNEL)
console.log('too long:', nlmsg_put(skb, 0, 1, 16, 100, 0), 'room', skb_tailroom(skb))
const put = nlmsg_put(skb, 0, 1, 16, 8, 0)
console.log('put:', put?.nlmsg_len, 'is the first:', nlmsg_hdr(skb).nlmsg_len === put?.nlmsg_len)
console.log('nlk_sk:', nlk_sk(sk).portid, 'of', nlk_sk(sk).ngroups, 'groups')
console.log('nobody there:', c.netlink_unicast(sk, skb, 4711, MSG_DONTWAIT))

// rtnl_register(): a doit and a dumpit; neither: refused when asked
c.rtnl_register(
  0,
  RTM_GETEXAMPLE,
  (request, nlh) => {
    const reply = nlmsg_new(64, GFP_KERNEL)
    const out = nlmsg_put(reply, request.portid, nlh.nlmsg_seq, RTM_GETEXAMPLE, 4, 0)
    if (!out) return -90
    nla_put_string(reply, 1, 'one')
    nlmsg_end(reply, out)
    kernel.rtnl.socketOf(kernel.initNet).unicast(reply, request.portid)
    return 0
  },
  (into, cb) => {
    for (; (cb.args[0] ?? 0) < 3; cb.args[0] = (cb.args[0] ?? 0) + 1) {
      const out = nlmsg_put(into, cb.portid, cb.seq, RTM_GETEXAMPLE, 4, 2)
      if (!out) return into.length
      nla_put_u32(into, 2, cb.args[0] ?? 0)
      nlmsg_end(into, out)
    }
    return 0
  },
  null,
)
const [one] = await ask(NETLINK_ROUTE, RTM_GETEXAMPLE, 0, [0, 0, 0, 0], 1)
console.log(
  'doit:',
  new TextDecoder().decode(nla_parse(NLMSG_DATA(one!).subarray(4, 12))[1]?.subarray(0, 3)),
)
const [dumped] = await ask(NETLINK_ROUTE, RTM_GETEXAMPLE, NLM_F_DUMP, [0, 0, 0, 0], 1)
console.log('dumpit: the first of', dumped?.nlmsg_len, 'bytes, flags', dumped?.nlmsg_flags)
c.rtnl_unregister(0, RTM_GETEXAMPLE)
const [gone] = await ask(NETLINK_ROUTE, RTM_GETEXAMPLE, 0, [0, 0, 0, 0], 1)
console.log('unregistered:', errnoIn(gone))

// rtnl_fill_ifinfo(), rtnl_notify()
const listener = await process.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)
await process.bind(listener, {
  nl_family: AF_NETLINK,
  nl_pid: 0,
  nl_groups: 1 << (RTNLGRP_LINK - 1),
})
const lo = c.dev_get_by_name(c.init_net, 'lo')
const news = nlmsg_new(4096, GFP_KERNEL)
if (lo) console.log('filled:', c.rtnl_fill_ifinfo(news, lo, RTM_NEWLINK, 0, 0, 0, 0, 0))
c.rtnl_notify(news, c.init_net, 0, RTNLGRP_LINK, null, GFP_KERNEL)
const heard = new Uint8Array(8192)
await process.recvmsg(listener, { msg_iov: [{ iov_base: heard, iov_len: 8192 }] }, 0)
console.log('heard: type', new nlmsghdr(heard).nlmsg_type, 'ifindex', heard[20])

// genl_register_family_with_ops(), genl_register_ops(), genlmsg_put()
const EXAMPLE_CMD_ECHO = 1
const group = { name: 'events', id: 0 }
const family: genl_family = { id: GENL_ID_GENERATE, name: 'example', version: 1, mcgrps: [group] }
const echo: genl_ops = {
  cmd: EXAMPLE_CMD_ECHO,
  doit(_request, info) {
    const reply = nlmsg_new(128, GFP_KERNEL)
    const at = c.genlmsg_put(reply, info.snd_portid, info.snd_seq, family, 0, EXAMPLE_CMD_ECHO)
    if (!at) return -90
    const nest = nla_nest_start(reply, 1)
    nla_put_u32(reply, 2, info.snd_seq)
    if (nest !== null) nla_nest_end(reply, nest)
    c.genlmsg_end(reply, at)
    return c.genlmsg_reply(reply, info) < 0 ? -111 : 0
  },
}
console.log('no doit, no dumpit:', c.genl_register_family_with_ops(family, [{ cmd: 9 }], 1))
console.log('registered:', c.genl_register_family_with_ops(family, [echo], 1), 'id', family.id)
console.log('the name again:', c.genl_register_family({ name: 'example' }))
console.log('the command again:', c.genl_register_ops(family, echo))
const [echoed] = await ask(NETLINK_GENERIC, family.id ?? 0, 0, [EXAMPLE_CMD_ECHO, 1, 0, 0], 1)
console.log('echo:', echoed?.nlmsg_len, 'bytes with sequence number', echoed?.bytes[28])
c.genl_unregister_mc_group(family, group)
c.genl_lock()
console.log('unregistered:', c.genl_unregister_family(family), c.genl_unregister_family(family))
c.genl_unlock()

// netlink_alloc_skb(): gone with memory-mapped sockets
console.log('netlink_alloc_skb:', skb_tailroom(netlink_alloc_skb(sk, 256, 0, GFP_KERNEL)), 'bytes')
c.netlink_kernel_release(sk)
process.exit()
