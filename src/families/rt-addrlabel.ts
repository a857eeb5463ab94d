/**
 * rt-addrlabel: labels of IPv6 prefixes, by which source addresses are chosen (RFC 6724).
 *
 * Kernel: include/uapi/linux/if_addrlabel.h; net/ipv6/addrlabel.c ip6addrlbl_fill() (Linux 6.18).
 */
import { attrs, ipv6, message, rawFamily, struct, u8, u32 } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { addressFamily, RTM_DELADDRLABEL, RTM_GETADDRLABEL, RTM_NEWADDRLABEL } from './rtnetlink.ts'

export const ifaddrlblmsg = struct('ifaddrlblmsg', {
  family: addressFamily,
  reserved: 1,
  prefixlen: u8,
  flags: u8,
  /** The link that it is for; 0 for any. */
  ifindex: u32,
  /** Grows with each change of the table. */
  seq: u32,
})

export const addrlabelAttrs = attrs('IFAL_', { address: [1, ipv6], label: [2, u32] })

const label = message(ifaddrlblmsg, addrlabelAttrs)

export const rtAddrlabel = rawFamily({
  name: 'rt-addrlabel',
  protocol: NETLINK_ROUTE,
  ops: {
    newAddrlabel: { cmd: RTM_NEWADDRLABEL, constant: 'RTM_NEWADDRLABEL', do: { request: label } },
    delAddrlabel: { cmd: RTM_DELADDRLABEL, constant: 'RTM_DELADDRLABEL', do: { request: label } },
    /** The one that an address has; or all. */
    getAddrlabel: {
      cmd: RTM_GETADDRLABEL,
      replyCmd: RTM_NEWADDRLABEL,
      constant: 'RTM_GETADDRLABEL',
      do: { request: message(ifaddrlblmsg, addrlabelAttrs.only('address')), reply: label },
      dump: { request: message(ifaddrlblmsg), reply: label },
    },
  },
})
