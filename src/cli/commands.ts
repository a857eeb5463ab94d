/** The commands, by name. Each is loaded when the command line names it. */
import type { Command } from './command.ts'

/** A command that is not loaded yet. */
export interface CommandEntry {
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  load(): Promise<{ readonly command: Command }>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'link',
    aliases: ['l'],
    summary: 'network devices',
    load: () => import('./link.ts'),
  },
  {
    name: 'addr',
    aliases: ['a', 'address'],
    summary: 'addresses of network devices',
    load: () => import('./addr.ts'),
  },
  {
    name: 'route',
    aliases: ['r'],
    summary: 'routes',
    load: () => import('./route.ts'),
  },
  {
    name: 'neigh',
    aliases: ['n', 'neighbour', 'neighbor'],
    summary: 'neighbours: which link-layer address an IP address has',
    load: () => import('./neigh.ts'),
  },
  {
    name: 'rule',
    aliases: ['ru'],
    summary: 'rules: which table routes a packet',
    load: () => import('./rule.ts'),
  },
  {
    name: 'nexthop',
    aliases: ['nh'],
    summary: 'next hops that routes refer to by their ids',
    load: () => import('./nexthop.ts'),
  },
  {
    name: 'ntable',
    aliases: [],
    summary: 'tables of neighbours',
    load: () => import('./ntable.ts'),
  },
  {
    name: 'netconf',
    aliases: [],
    summary: 'how links forward',
    load: () => import('./netconf.ts'),
  },
  {
    name: 'addrlabel',
    aliases: [],
    summary: 'labels of IPv6 prefixes',
    load: () => import('./addrlabel.ts'),
  },
  {
    name: 'maddr',
    aliases: ['maddress'],
    summary: 'multicast groups that links have joined',
    load: () => import('./maddr.ts'),
  },
  {
    name: 'mroute',
    aliases: ['mr'],
    summary: 'multicast routes',
    load: () => import('./mroute.ts'),
  },
  {
    name: 'bridge',
    aliases: [],
    summary: 'ports, forwarding entries, VLANs and multicast groups of bridges',
    load: () => import('./bridge.ts'),
  },
  {
    name: 'stats',
    aliases: [],
    summary: 'counters of links',
    load: () => import('./stats.ts'),
  },
  {
    name: 'qdisc',
    aliases: [],
    summary: 'queueing disciplines',
    load: async () => ({ command: (await import('./tc.ts')).qdisc }),
  },
  {
    name: 'class',
    aliases: [],
    summary: 'classes of queueing disciplines',
    load: async () => ({ command: (await import('./tc.ts')).trafficClass }),
  },
  {
    name: 'filter',
    aliases: [],
    summary: 'filters of packets',
    load: async () => ({ command: (await import('./tc.ts')).filter }),
  },
  {
    name: 'monitor',
    aliases: ['mon'],
    summary: 'changes, as they happen',
    load: () => import('./monitor.ts'),
  },
  {
    name: 'family',
    aliases: [],
    summary: 'generic netlink families of the kernel: their operations, groups and policies',
    load: () => import('./family.ts'),
  },
  {
    name: 'call',
    aliases: [],
    summary: 'one operation of a family, the request given as JSON',
    load: () => import('./call.ts'),
  },
  {
    name: 'listen',
    aliases: [],
    summary: "a family's notifications, as they come",
    load: () => import('./listen.ts'),
  },
  {
    name: 'spec',
    aliases: [],
    summary: "Linux's YAML specs: checked, or as family files",
    load: () => import('./spec.ts'),
  },
  {
    name: 'kernel',
    aliases: [],
    summary: 'a kernel of its own, served to other programs',
    load: () => import('./kernel.ts'),
  },
  {
    name: 'run',
    aliases: [],
    summary: "runs a program on a kernel of nlkit's",
    load: () => import('./run-command.ts'),
  },
  {
    name: 'record',
    aliases: [],
    summary: 'what a kernel and its programs say, into a capture file',
    load: () => import('./record.ts'),
  },
  {
    name: 'replay',
    aliases: [],
    summary: 'a kernel that answers as it was recorded',
    load: () => import('./replay.ts'),
  },
  {
    name: 'decode',
    aliases: [],
    summary: 'capture files and bytes in hex, in words',
    load: () => import('./decode.ts'),
  },
  {
    name: 'module',
    aliases: [],
    summary: 'modules of a served kernel',
    load: () => import('./module.ts'),
  },
  {
    name: 'dmesg',
    aliases: [],
    summary: 'the log of a served kernel',
    load: () => import('./dmesg.ts'),
  },
  {
    name: 'chains',
    aliases: [],
    summary: 'notifier chains of a served kernel',
    load: () => import('./chains.ts'),
  },
  {
    name: 'sockets',
    aliases: [],
    summary: 'netlink sockets of a served kernel',
    load: () => import('./sockets.ts'),
  },
  {
    name: 'netns',
    aliases: [],
    summary: 'network namespaces',
    load: () => import('./namespaces.ts'),
  },
  {
    name: 'proc',
    aliases: [],
    summary: 'processes, as they fork, execute and exit',
    load: () => import('./proc.ts'),
  },
  {
    name: 'uevent',
    aliases: [],
    summary: 'kernel objects, as they come, change and go',
    load: () => import('./uevent.ts'),
  },
  {
    name: 'dbus',
    aliases: [],
    summary: 'a D-Bus message bus, and what speaks to one',
    load: () => import('./dbus.ts'),
  },
  {
    name: 'tour',
    aliases: [],
    summary: 'what nlkit does, shown and checked',
    load: () => import('./tour/command.ts'),
  },
]
