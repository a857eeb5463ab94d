/** Speaks to groups 3 and 5, where member.ts listens. Group n is bit n - 1 of a mask. */
import { transportTo } from 'nlkit/transport'
import { NETLINK_USERSOCK } from 'nlkit/wire'
import { greeting, refusal } from './greeting.ts'

const kernel = await transportTo(process.env.NLKIT_KERNEL) // unix:PATH, or this machine's
const socket = await kernel.open({ protocol: NETLINK_USERSOCK, portid: 9, groups: [3] })
const say = (words: string, group: number, portid = 0) =>
  socket.send([greeting(socket, words)], { group, portid })

// A send to a group is also one to the port that it names, 0 if none: nobody is there, and the
// members have got it all the same.
console.log('to group 3:', await refusal(socket, say('three', 3)))
console.log('to group 5:', await refusal(socket, say('five', 5)))
console.log('to group 4, where nobody is:', await refusal(socket, say('four', 4)))
// A mask of groups 3 and 5 would reach the lower one alone: both are two sends.
for (const group of [3, 5]) await refusal(socket, say('both', group))
// Who is a member and named by its port gets one copy.
console.log('to group 5 and port 12:', say('five and 12', 5, 12))
for (const group of [3, 5]) await refusal(socket, say('bye', group))
socket.close()
