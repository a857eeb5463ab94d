/**
 * rt-nsid: numbers by which a network namespace knows others.
 *
 * Kernel: include/uapi/linux/net_namespace.h; net/core/net_namespace.c rtnl_net_fill() (Linux 6.18).
 */
import { attrs, message, rawFamily, s32, struct, u32 } from '../schema/index.ts'
import { NETLINK_ROUTE } from '../wire/constants.ts'
import { addressFamily, RTM_DELNSID, RTM_GETNSID, RTM_NEWNSID, RTNLGRP_NSID } from './rtnetlink.ts'

export const NETNSA_NSID_NOT_ASSIGNED = -1

/** rtgenmsg as this family pads it. */
export const nsidmsg = struct('rtgenmsg', { family: addressFamily })

export const nsidAttrs = attrs('NETNSA_', {
  nsid: [1, s32],
  pid: [2, u32],
  fd: [3, u32],
  /** The namespace in which to look, by its number here. */
  targetNsid: [4, s32],
  /** The number of the same namespace here, beside the one in `targetNsid`. */
  currentNsid: [5, s32],
})

const reply = message(nsidmsg, nsidAttrs.only('nsid', 'currentNsid'))

export const rtNsid = rawFamily({
  name: 'rt-nsid',
  protocol: NETLINK_ROUTE,
  groups: { nsid: RTNLGRP_NSID },
  ops: {
    newNsid: {
      cmd: RTM_NEWNSID,
      constant: 'RTM_NEWNSID',
      do: { request: message(nsidmsg, nsidAttrs.only('nsid', 'pid', 'fd')) },
    },
    /** Of the namespace of a process, or that a descriptor is open to; or all that have one. */
    getNsid: {
      cmd: RTM_GETNSID,
      replyCmd: RTM_NEWNSID,
      constant: 'RTM_GETNSID',
      do: { request: message(nsidmsg, nsidAttrs.only('nsid', 'pid', 'fd', 'targetNsid')), reply },
      dump: { request: message(nsidmsg, nsidAttrs.only('targetNsid')), reply },
    },
  },
  notifications: {
    newNsid: { cmd: RTM_NEWNSID, group: 'nsid', body: reply },
    delNsid: { cmd: RTM_DELNSID, group: 'nsid', body: reply },
  },
})
