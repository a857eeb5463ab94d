/** Netlink sockets: process to process, to many, and a kernel's side with a thread that sleeps. */
import { Kernel } from 'nlkit/kernel'
import {
  AF_NETLINK,
  alloc_skb,
  compat,
  cString,
  GFP_KERNEL,
  kfree_skb,
  MSG_DONTWAIT,
  type msghdr,
  NETLINK_CB,
  NLMSG_DATA,
  NLMSG_SPACE,
  nlmsg_hdr,
  nlmsghdr,
  Process,
  SOCK_RAW,
  skb_put,
  skb_recv_datagram,
  type sock,
  type sockaddr_nl,
  strcpy,
  wake_up_interruptible,
} from 'nlkit/kernel/compat'
import { NETLINK_USERSOCK } from 'nlkit/wire'

const NETLINK_EXAMPLE = 31
const NLINK_MSG_LEN = 1024

await using kernel = new Kernel()
const { netlink_kernel_create, netlink_unicast, netlink_broadcast, printk, sock_release } =
  compat(kernel)

function address(nl_pid: number, nl_groups = 0): sockaddr_nl {
  return { nl_family: AF_NETLINK, nl_pid, nl_groups }
}
function message(text: string, src: number): nlmsghdr {
  const nlh = nlmsghdr.alloc(NLMSG_SPACE(NLINK_MSG_LEN))
  nlh.nlmsg_len = NLMSG_SPACE(NLINK_MSG_LEN)
  nlh.nlmsg_pid = src
  nlh.nlmsg_flags = 0
  strcpy(NLMSG_DATA(nlh), text)
  return nlh
}
async function receive(process: Process, fd: number): Promise<string> {
  const nlh = nlmsghdr.alloc(NLMSG_SPACE(NLINK_MSG_LEN))
  const msg: msghdr = { msg_iov: [{ iov_base: nlh, iov_len: NLMSG_SPACE(NLINK_MSG_LEN) }] }
  await process.recvmsg(fd, msg, 0)
  return `${cString(NLMSG_DATA(nlh))} (from ${msg.msg_name?.nl_pid})`
}

// unicast: sender with id 1, receiver with id 2
const sender = new Process(kernel.transport())
const receiver = new Process(kernel.transport())
const fd = await sender.socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)
await sender.bind(fd, address(1))
const fd2 = await receiver.socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)
await receiver.bind(fd2, address(2))
const nlh = message('Hello Process', 1)
const msg: msghdr = {
  msg_name: address(2),
  msg_iov: [{ iov_base: nlh, iov_len: nlh.nlmsg_len }],
}
console.log('sendmsg:', await sender.sendmsg(fd, msg, 0))
console.log('receiver:', await receive(receiver, fd2))
console.log(
  'the id is taken:',
  await receiver.bind(await receiver.socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK), address(2)),
  receiver.errno,
)

// multicast: groups 3 and 5 are bits 2 and 4
const listeners = await Promise.all(
  [3, 4].map(async (id) => {
    const process = new Process(kernel.transport())
    const socket = await process.socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK)
    await process.bind(socket, address(id, (1 << 2) | (1 << 4)))
    return { id, process, socket }
  }),
)
for (const group of [3, 5]) {
  const all: msghdr = { ...msg, msg_name: address(0, 1 << (group - 1)) }
  // delivered; the answer is that of the unicast to the kernel, who is not there
  console.log(`to group ${group}:`, await sender.sendmsg(fd, all, 0), 'errno', sender.errno)
  for (const { id, process, socket } of listeners) {
    console.log(`listener ${id}:`, await receive(process, socket))
  }
}

// the kernel's side: input() wakes a thread that sleeps in skb_recv_datagram()
function receive_func(sk: sock, _len: number): void {
  wake_up_interruptible(sk)
}
const nlink = netlink_kernel_create(NETLINK_EXAMPLE, receive_func)
if (!nlink) throw new Error('netlink_kernel_create')
async function thread(sk: sock): Promise<void> {
  for (;;) {
    const buffer = await skb_recv_datagram(sk)
    if (buffer === null) return
    printk('Message received %s\n', cString(NLMSG_DATA(nlmsg_hdr(buffer))))
    kfree_skb(buffer)
  }
}
const running = thread(nlink)
const user = new Process(kernel.transport())
const fd3 = await user.socket(AF_NETLINK, SOCK_RAW, NETLINK_EXAMPLE)
await user.bind(fd3, address(2, 1 << 2))
const toKernel = message('Hello Kernel', 2)
await user.sendmsg(
  fd3,
  { msg_name: address(0), msg_iov: [{ iov_base: toKernel, iov_len: toKernel.nlmsg_len }] },
  0,
)

// the kernel's own message: one to process 2, one to group 3
function hello(dst_group: number) {
  const skb = alloc_skb(NLMSG_SPACE(NLINK_MSG_LEN), GFP_KERNEL)
  skb_put(skb, NLMSG_SPACE(NLINK_MSG_LEN))
  const header = nlmsg_hdr(skb)
  header.nlmsg_len = NLMSG_SPACE(NLINK_MSG_LEN)
  header.nlmsg_pid = 0
  header.nlmsg_flags = 0
  strcpy(NLMSG_DATA(header), 'Hello')
  NETLINK_CB(skb).portid = 0
  NETLINK_CB(skb).dst_group = dst_group
  return skb
}
console.log('netlink_unicast:', netlink_unicast(nlink, hello(0), 2, MSG_DONTWAIT))
console.log('process 2:', await receive(user, fd3))
console.log('netlink_broadcast:', netlink_broadcast(nlink, hello(3), 0, 3, GFP_KERNEL))
console.log('process 2:', await receive(user, fd3))
console.log('nobody is there:', netlink_unicast(nlink, hello(0), 9, MSG_DONTWAIT))

sock_release(nlink)
await running
for (const { text } of kernel.dmesg()) console.log('dmesg:', text)
const late: msghdr = { msg_iov: [{ iov_base: toKernel, iov_len: toKernel.nlmsg_len }] }
console.log('after sock_release:', await user.sendmsg(fd3, late, 0), 'errno', user.errno)
for (const process of [sender, receiver, user, ...listeners.map((each) => each.process)])
  process.exit()
