/** A service on generic netlink that keeps connections, and hears when a peer's socket is gone. */
import { isNetlinkError } from 'nlkit'
import { Kernel } from 'nlkit/kernel'
import {
  AF_NETLINK,
  type genl_family,
  type genl_ops,
  kbuild,
  NETLINK_URELEASE,
  NOTIFY_DONE,
  type netlink_notify,
  nlmsghdr,
  type notifier_block,
  Process,
  SOCK_RAW,
} from 'nlkit/kernel/compat'
import { NETLINK_GENERIC, NLM_F_ACK, NLM_F_REQUEST } from 'nlkit/wire'

const DBUS_CMD_HELLO = 1

const dbus = kbuild('dbus', (c) => {
  c.MODULE_LICENSE('GPL')

  const connections = new Set<number>()
  function dbus_bus_del_connection(portid: number): void {
    if (connections.delete(portid)) c.printk('dbus: connection %u is gone\n', portid)
  }

  const dbus_family: genl_family = { id: c.GENL_ID_GENERATE, name: 'dbus', version: 1 }
  const dbus_ops: genl_ops[] = [
    {
      cmd: DBUS_CMD_HELLO,
      doit(_skb, info) {
        connections.add(info.snd_portid)
        c.printk('dbus: connection %u\n', info.snd_portid)
        return 0
      },
    },
  ]

  function dbus_netlink_notify(_nb: notifier_block, state: number, _notify: unknown): number {
    const notify = _notify as netlink_notify
    if (state === NETLINK_URELEASE && notify.protocol === NETLINK_GENERIC)
      dbus_bus_del_connection(notify.portid)
    return NOTIFY_DONE
  }
  const dbus_netlink_notifier: notifier_block = { notifier_call: dbus_netlink_notify }

  function dbus_init(): number {
    let rc = c.genl_register_family_with_ops(dbus_family, dbus_ops, dbus_ops.length)
    if (rc) return rc
    rc = c.netlink_register_notifier(dbus_netlink_notifier)
    if (rc) {
      c.genl_unregister_family(dbus_family)
      return rc
    }
    return 0
  }
  async function dbus_exit(): Promise<void> {
    await c.netlink_unregister_notifier(dbus_netlink_notifier)
    c.genl_unregister_family(dbus_family)
  }
  c.module_init(dbus_init)
  c.module_exit(dbus_exit)
})

await using kernel = new Kernel()
kernel.insmod(dbus)
const id = kernel.genl.find('dbus')?.id ?? 0

/** A client opens a socket, says hello, and ends without a word. */
const client = new Process(kernel.transport())
const fd = await client.socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC)
await client.bind(fd, { nl_family: AF_NETLINK, nl_pid: 4711, nl_groups: 0 })
const nlh = nlmsghdr.alloc(20)
nlh.nlmsg_len = 20
nlh.nlmsg_type = id
nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK
nlh.bytes.set([DBUS_CMD_HELLO, 1], 16)
await client.sendmsg(fd, { msg_iov: [{ iov_base: nlh, iov_len: 20 }] }, 0)
client.exit()

// a socket that never had a port is nobody's loss
const unbound = kernel.netlink.socket(kernel.initNet, NETLINK_GENERIC, {
  pid: 1,
  uid: 0,
  gid: 0,
  capabilities: 'all',
})
unbound.close()
for (const { text } of kernel.dmesg()) console.log(text)

// the second step of the init fails: the first is undone
const again = kbuild('again', (c) => {
  c.MODULE_LICENSE('GPL')
  c.module_init(() => {
    const rc = c.genl_register_family_with_ops({ name: 'dbus' }, [], 0)
    return rc
  })
})
try {
  kernel.insmod(again)
} catch (error) {
  if (!isNetlinkError(error)) throw error
  console.log('a second family of that name:', error.code)
}
await kernel.rmmod('dbus')
console.log('after rmmod:', kernel.genl.find('dbus') ?? 'no family')
