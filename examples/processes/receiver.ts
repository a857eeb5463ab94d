/** A process at port 2: it hears one greeting, and answers it. Start it first, then sender.ts. */
import { transportTo } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'
import { greeting, hear } from './greeting.ts'

const kernel = await transportTo(process.env.NLKIT_KERNEL) // unix:PATH, or this machine's
const socket = await kernel.open({ protocol: NETLINK_USERSOCK, portid: 2 })
console.log('port', socket.portid)

const { words, from, group } = await hear(socket)
console.log(`${JSON.stringify(words)} from port ${from}, group ${group}`)
socket.send([greeting(socket, `${words} yourself`)], { portid: from })
socket.close()
