/** `nlkit sockets`: the netlink sockets of a served kernel, as /proc/net/netlink has them. */
import { type Command, verb } from './command.ts'
import { openControl } from './control.ts'

const sockets = verb({
  summary: 'netlink sockets of a served kernel, as /proc/net/netlink has them',
  examples: ['nlkit sockets', 'nlkit sockets -j'],
  parameters: {},
  async run(call) {
    const control = await openControl(call)
    const all = await control.dump('getSocket').toArray()
    if (call.options.json) {
      call.out.json(
        all.map(
          ({ protocol, portid, pid, uid, groups, rmem, rcvbuf, dump, drops, cookie, netns }) => {
            const row = { protocol, portid, pid, uid, groups, rmem, rcvbuf, dump: dump === true }
            return { ...row, drops, cookie, netns }
          },
        ),
      )
      return
    }
    call.out.table(
      [
        { heading: 'PROTO', align: 'right' },
        { heading: 'PORTID', align: 'right' },
        { heading: 'PID', align: 'right' },
        { heading: 'UID', align: 'right' },
        { heading: 'GROUPS' },
        { heading: 'RMEM', align: 'right' },
        { heading: 'RCVBUF', align: 'right' },
        { heading: 'DUMP', align: 'right' },
        { heading: 'DROPS', align: 'right' },
        { heading: 'COOKIE', align: 'right' },
        { heading: 'NETNS', align: 'right' },
      ],
      all.map((row) => [
        String(row.protocol),
        String(row.portid),
        String(row.pid),
        String(row.uid),
        row.groups.toString(16).padStart(8, '0'),
        String(row.rmem),
        String(row.rcvbuf),
        row.dump ? '1' : '0',
        String(row.drops),
        String(row.cookie),
        String(row.netns),
      ]),
    )
  },
})

export const command: Command = { only: sockets }
