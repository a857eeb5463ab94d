/** A member of groups: `member.js PORT GROUP...` prints what it hears until somebody says bye. */
import { transportTo } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'
import { hear } from './greeting.ts'

const [portid = 0, ...groups] = process.argv.slice(2).map(Number)
const kernel = await transportTo(process.env.NLKIT_KERNEL) // unix:PATH, or this machine's
// Joining groups of NETLINK_USERSOCK needs CAP_NET_ADMIN: unshare -Urn on a machine of others.
const socket = await kernel.open({ protocol: NETLINK_USERSOCK, portid, groups })
console.log('member of', groups.join(' and '))
for (;;) {
  const { words, from, group } = await hear(socket)
  console.log(`${JSON.stringify(words)} from port ${from} through group ${group}`)
  if (words === 'bye') break
}
socket.close()
