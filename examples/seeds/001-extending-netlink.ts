/** A kernel socket of 2005, the kernel's events, the connector, and CBUS on top of it. */
import { Kernel } from 'nlkit/kernel'
import {
  AF_NETLINK,
  type cb_id,
  type cn_msg,
  compat,
  cString,
  GFP_ATOMIC,
  GFP_KERNEL,
  kfree_skb,
  NLMSG_DATA,
  nlmsg_hdr,
  nlmsghdr,
  Process,
  SOCK_DGRAM,
  type sk_buff,
  skb_dequeue,
  type sock,
  strcpy,
} from 'nlkit/kernel/compat'
import { NETLINK_CONNECTOR, NETLINK_KOBJECT_UEVENT } from 'nlkit/wire'

const NETLINK_EXAMPLE = 29

await using kernel = new Kernel()
const { netlink_kernel_create, sock_release, send_uevent } = compat(kernel)
const { cn_add_callback, cn_del_callback, cn_netlink_send, cbus_insert } = compat(kernel)

// input(): called when data arrives; they are in skbs that are queued to the socket itself
function deal_with_incoming_data(skb: sk_buff): void {
  console.log('kernel received:', cString(NLMSG_DATA(nlmsg_hdr(skb))))
}
function input(sk: sock, len: number): void {
  console.log('input() with', len, 'bytes')
  for (;;) {
    const skb = skb_dequeue(sk.sk_receive_queue)
    if (skb === null) break
    deal_with_incoming_data(skb)
    kfree_skb(skb)
  }
}
const nlsock = netlink_kernel_create(NETLINK_EXAMPLE, input)
if (!nlsock) throw new Error('the protocol is taken')

const process = new Process(kernel.transport())
const fd = await process.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_EXAMPLE)
const nlh = nlmsghdr.alloc(64)
nlh.nlmsg_len = 64
strcpy(NLMSG_DATA(nlh), 'from user space')
await process.sendmsg(fd, { msg_iov: [{ iov_base: nlh, iov_len: 64 }] }, 0)
sock_release(nlsock)

// input may be absent: user space cannot write then
const silent = netlink_kernel_create(NETLINK_EXAMPLE, null)
const fd2 = await process.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_EXAMPLE)
const written = await process.sendmsg(fd2, { msg_iov: [{ iov_base: nlh, iov_len: 64 }] }, 0)
console.log('without input:', written, 'errno', process.errno)
if (silent) sock_release(silent)

// send_uevent(): a line, and the environment behind its first two entries
const uevents = await process.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT)
await process.bind(uevents, { nl_family: AF_NETLINK, nl_pid: 0, nl_groups: 1 })
send_uevent('mount', '/block/sda1', ['HOME=/', 'PATH=/sbin', 'DEVNAME=sda1'], GFP_KERNEL)
const event = new Uint8Array(4096)
const length = await process.recvmsg(uevents, { msg_iov: [{ iov_base: event, iov_len: 4096 }] }, 0)
console.log(new TextDecoder().decode(event.subarray(0, length)).split('\0').join(' | '))

// cn_add_callback(): every message with this id
const id: cb_id = { idx: 0x123, val: 0x456 }
const text = (msg: cn_msg) => cString(msg.data)
const message = (data: string): cn_msg => ({ id, data: new TextEncoder().encode(`${data}\0`) })
console.log(
  'cn_add_callback:',
  cn_add_callback(id, 'example', (msg) => console.log('callback:', text(msg))),
)
console.log(
  'the id is taken:',
  cn_add_callback(id, 'another', () => {}),
)

const cn = await process.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR)
const cn_header = nlmsghdr.alloc(16 + 20 + 6)
cn_header.nlmsg_len = cn_header.bytes.length
new Uint32Array(cn_header.bytes.buffer, 16, 2).set([id.idx, id.val])
new Uint16Array(cn_header.bytes.buffer, 32, 1).set([6])
strcpy(cn_header.bytes.subarray(36), 'hello')
await process.sendmsg(cn, { msg_iov: [{ iov_base: cn_header, iov_len: 42 }] }, 0)

// cn_netlink_send(): its result, which it did not have then
console.log('nobody listens:', cn_netlink_send(message('lost'), 0, id.idx & 31, GFP_ATOMIC))
const listener = await process.socket(AF_NETLINK, SOCK_DGRAM, NETLINK_CONNECTOR)
await process.bind(listener, { nl_family: AF_NETLINK, nl_pid: 77, nl_groups: 1 << 2 })
console.log('to group 3:', cn_netlink_send(message('heard'), 0, 3, GFP_ATOMIC))
const buffer = new Uint8Array(1024)
const iov = { msg_iov: [{ iov_base: buffer, iov_len: buffer.length }] }
await process.recvmsg(listener, iov, 0)
console.log('listener:', cString(buffer.subarray(36)))

// cbus_insert(): returns at once, the worker sends later, to the group of the id
const cbus_id: cb_id = { idx: 3, val: 1 }
cn_add_callback(cbus_id, 'cbus', () => {})
for (const word of ['one', 'two', 'three']) {
  cbus_insert({ ...message(word), id: cbus_id }, GFP_ATOMIC)
}
console.log('inserted, not sent:', kernel.cbus.stats().queued)
for (let i = 0; i < 3; i++) {
  await process.recvmsg(listener, iov, 0)
  console.log('cbus:', cString(buffer.subarray(36)))
}
cn_del_callback(cbus_id)
cn_del_callback(id)
process.exit()
