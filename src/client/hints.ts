/** Hints: what to do about an error, one sentence each. */
import type { Extack } from '../errors.ts'

/** What a hint may need to know of the request. */
interface Asked {
  readonly name: string
}

type Hint = string | ((asked: Asked, extack: Extack | undefined) => string | undefined)

const table: Readonly<Record<string, Hint>> = {
  EPERM:
    'this needs CAP_NET_ADMIN: run it as root, or in a network of your own (unshare -Urn), or on an nlkit kernel (open({ kernel }))',
  EACCES: ({ name }) =>
    name === 'RTM_NEWADDR'
      ? 'IPv6 is disabled on this link: see /proc/sys/net/ipv6/conf'
      : 'the kernel forbids it to this process, whatever its user',
  EOPNOTSUPP: ({ name }, extack) =>
    extack?.message === 'Unknown device type'
      ? 'this kernel has no such kind of link: load its module (modprobe KIND), or use a kernel that has it'
      : `this kernel does not support ${name} as it was asked`,
  EAFNOSUPPORT: 'this kernel was built without that address family, or it is switched off',
  EPROTONOSUPPORT: 'this kernel has no such netlink protocol, or its module is not loaded',
  EEXIST: ({ name }) =>
    name === 'RTM_NEWLINK' || name === 'RTM_NEWRULE'
      ? 'it is there already'
      : 'it is there already: use set or replace to change it',
  ENOENT: ({ name }) =>
    name === 'RTM_NEWROUTE' || name === 'RTM_NEWNEIGH'
      ? 'it is not there yet: use add or replace'
      : undefined,
  ESRCH: ({ name }) =>
    name === 'RTM_DELROUTE' ? 'no route matches all that was given: list the table' : undefined,
  EADDRNOTAVAIL: ({ name }) =>
    name === 'RTM_DELADDR' ? 'no address of the link matches: mind the prefix length' : undefined,
  ENETUNREACH: ({ name }) =>
    name === 'RTM_NEWROUTE'
      ? 'nothing leads to the gateway: set its link up and give it an address of the gateway’s network first'
      : undefined,
  ENETDOWN: 'the link is down: set it up first',
  EBUSY: 'the kernel is at work on it, or the number is taken: try again, or choose another',
  ENOBUFS: 'the kernel ran out of buffers: ask for less at once, or raise the receive buffer',
  EMSGSIZE: 'the request is longer than the send buffer: split it',
  EADDRINUSE: 'another socket has that port id: let the kernel choose',
  ECONNREFUSED: 'nobody listens at the other end: this namespace may lack that protocol',
  NETLINK_TIMEOUT: 'give it more time with { timeout }, milliseconds or Infinity',
  NETLINK_LOST: 'look at the state before asking again: it may have been executed',
  NETLINK_OVERFLOW: 'raise the receive buffer, or ask for less at once',
  NETLINK_INTERRUPTED: 'the table kept changing: list it again, or list less of it',
}

/** What to do about an error, if there is anything to say. */
export function hintFor(code: string, asked: Asked, extack?: Extack): string | undefined {
  const hint = table[code]
  return typeof hint === 'function' ? hint(asked, extack) : hint
}
