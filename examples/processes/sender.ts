/** A process at port 1: "Hello Process" to port 2, where receiver.ts is. */
import { isNetlinkError } from 'nlkit'
import { transportTo } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'
import { greeting, hear, refusal } from './greeting.ts'

const kernel = await transportTo(process.env.NLKIT_KERNEL) // unix:PATH, or this machine's
const socket = await kernel.open({ protocol: NETLINK_USERSOCK, portid: 1 })
console.log('port', socket.portid)

const hello = greeting(socket, 'Hello Process')
console.log('sent', socket.send([hello.subarray(0, 16), hello.subarray(16)], { portid: 2 }))
console.log(JSON.stringify((await hear(socket)).words), 'came back')
console.log('to nobody:', await refusal(socket, socket.send([hello], { portid: 3 }))) // -ECONNREFUSED
try {
  await kernel.open({ protocol: NETLINK_USERSOCK, portid: 1 })
} catch (error) {
  if (!isNetlinkError(error)) throw error
  console.log('port 1 again:', error.code)
}
const automatic = await kernel.open({ protocol: NETLINK_USERSOCK })
console.log('a port of the kernel`s choice is my process id:', automatic.portid === process.pid)
const another = await kernel.open({ protocol: NETLINK_USERSOCK })
console.log('the next one is a large number:', another.portid >= 0x80000000)
for (const each of [socket, automatic, another]) each.close()
