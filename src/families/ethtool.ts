/**
 * ethtool: settings of network devices below the address.
 *
 * Replies have numbers of their own, which are not the requests'.
 *
 * Kernel: include/uapi/linux/ethtool_netlink.h; net/ethtool/netlink.c (Linux 6.18).
 */
import { genlFamily } from '../schema/index.ts'
import { GENL_UNS_ADMIN_PERM } from '../wire/constants.ts'
import {
  channels,
  coalesce,
  debug,
  eee,
  features,
  linkinfo,
  linkmodes,
  linkstate,
  pause,
  privflags,
  rings,
  strset,
  tsinfo,
  wol,
} from './ethtool-attrs.ts'

export const ETHTOOL_MSG_STRSET_GET = 1
export const ETHTOOL_MSG_LINKINFO_GET = 2
export const ETHTOOL_MSG_LINKINFO_SET = 3
export const ETHTOOL_MSG_LINKMODES_GET = 4
export const ETHTOOL_MSG_LINKMODES_SET = 5
export const ETHTOOL_MSG_LINKSTATE_GET = 6
export const ETHTOOL_MSG_DEBUG_GET = 7
export const ETHTOOL_MSG_DEBUG_SET = 8
export const ETHTOOL_MSG_WOL_GET = 9
export const ETHTOOL_MSG_WOL_SET = 10
export const ETHTOOL_MSG_FEATURES_GET = 11
export const ETHTOOL_MSG_FEATURES_SET = 12
export const ETHTOOL_MSG_PRIVFLAGS_GET = 13
export const ETHTOOL_MSG_PRIVFLAGS_SET = 14
export const ETHTOOL_MSG_RINGS_GET = 15
export const ETHTOOL_MSG_RINGS_SET = 16
export const ETHTOOL_MSG_CHANNELS_GET = 17
export const ETHTOOL_MSG_CHANNELS_SET = 18
export const ETHTOOL_MSG_COALESCE_GET = 19
export const ETHTOOL_MSG_COALESCE_SET = 20
export const ETHTOOL_MSG_PAUSE_GET = 21
export const ETHTOOL_MSG_PAUSE_SET = 22
export const ETHTOOL_MSG_EEE_GET = 23
export const ETHTOOL_MSG_EEE_SET = 24
export const ETHTOOL_MSG_TSINFO_GET = 25

export const ethtool = genlFamily({
  name: 'ethtool',
  version: 1,
  groups: ['monitor'],
  ops: {
    /** Names of what other operations number: `ethtool -S`, link modes, features. */
    strsetGet: {
      cmd: ETHTOOL_MSG_STRSET_GET,
      replyCmd: 1,
      constant: 'ETHTOOL_MSG_STRSET_GET',
      do: { request: strset, reply: strset },
      dump: { request: strset, reply: strset },
    },
    /** Port, transceiver: part of `ethtool DEV`. */
    linkinfoGet: {
      cmd: ETHTOOL_MSG_LINKINFO_GET,
      replyCmd: 2,
      constant: 'ETHTOOL_MSG_LINKINFO_GET',
      do: { request: linkinfo, reply: linkinfo },
      dump: { request: linkinfo, reply: linkinfo },
    },
    linkinfoSet: {
      cmd: ETHTOOL_MSG_LINKINFO_SET,
      constant: 'ETHTOOL_MSG_LINKINFO_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: linkinfo },
    },
    /** Speed, duplex, modes: part of `ethtool DEV`. */
    linkmodesGet: {
      cmd: ETHTOOL_MSG_LINKMODES_GET,
      replyCmd: 4,
      constant: 'ETHTOOL_MSG_LINKMODES_GET',
      do: { request: linkmodes, reply: linkmodes },
      dump: { request: linkmodes, reply: linkmodes },
    },
    linkmodesSet: {
      cmd: ETHTOOL_MSG_LINKMODES_SET,
      constant: 'ETHTOOL_MSG_LINKMODES_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: linkmodes },
    },
    /** Whether there is a link: part of `ethtool DEV`. */
    linkstateGet: {
      cmd: ETHTOOL_MSG_LINKSTATE_GET,
      replyCmd: 6,
      constant: 'ETHTOOL_MSG_LINKSTATE_GET',
      do: { request: linkstate, reply: linkstate },
      dump: { request: linkstate, reply: linkstate },
    },
    /** Message level of the driver. */
    debugGet: {
      cmd: ETHTOOL_MSG_DEBUG_GET,
      replyCmd: 7,
      constant: 'ETHTOOL_MSG_DEBUG_GET',
      do: { request: debug, reply: debug },
      dump: { request: debug, reply: debug },
    },
    debugSet: {
      cmd: ETHTOOL_MSG_DEBUG_SET,
      constant: 'ETHTOOL_MSG_DEBUG_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: debug },
    },
    /** Wake on LAN. */
    wolGet: {
      cmd: ETHTOOL_MSG_WOL_GET,
      replyCmd: 9,
      constant: 'ETHTOOL_MSG_WOL_GET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: wol, reply: wol },
      dump: { request: wol, reply: wol },
    },
    wolSet: {
      cmd: ETHTOOL_MSG_WOL_SET,
      constant: 'ETHTOOL_MSG_WOL_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: wol },
    },
    /** `ethtool -k`. */
    featuresGet: {
      cmd: ETHTOOL_MSG_FEATURES_GET,
      replyCmd: 11,
      constant: 'ETHTOOL_MSG_FEATURES_GET',
      do: { request: features, reply: features },
      dump: { request: features, reply: features },
    },
    featuresSet: {
      cmd: ETHTOOL_MSG_FEATURES_SET,
      constant: 'ETHTOOL_MSG_FEATURES_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: features },
    },
    /** `ethtool --show-priv-flags`. */
    privflagsGet: {
      cmd: ETHTOOL_MSG_PRIVFLAGS_GET,
      replyCmd: 14,
      constant: 'ETHTOOL_MSG_PRIVFLAGS_GET',
      do: { request: privflags, reply: privflags },
      dump: { request: privflags, reply: privflags },
    },
    privflagsSet: {
      cmd: ETHTOOL_MSG_PRIVFLAGS_SET,
      constant: 'ETHTOOL_MSG_PRIVFLAGS_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: privflags },
    },
    /** `ethtool -g`. */
    ringsGet: {
      cmd: ETHTOOL_MSG_RINGS_GET,
      replyCmd: 16,
      constant: 'ETHTOOL_MSG_RINGS_GET',
      do: { request: rings, reply: rings },
      dump: { request: rings, reply: rings },
    },
    ringsSet: {
      cmd: ETHTOOL_MSG_RINGS_SET,
      constant: 'ETHTOOL_MSG_RINGS_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: rings },
    },
    /** `ethtool -l`. */
    channelsGet: {
      cmd: ETHTOOL_MSG_CHANNELS_GET,
      replyCmd: 18,
      constant: 'ETHTOOL_MSG_CHANNELS_GET',
      do: { request: channels, reply: channels },
      dump: { request: channels, reply: channels },
    },
    channelsSet: {
      cmd: ETHTOOL_MSG_CHANNELS_SET,
      constant: 'ETHTOOL_MSG_CHANNELS_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: channels },
    },
    /** `ethtool -c`. */
    coalesceGet: {
      cmd: ETHTOOL_MSG_COALESCE_GET,
      replyCmd: 20,
      constant: 'ETHTOOL_MSG_COALESCE_GET',
      do: { request: coalesce, reply: coalesce },
      dump: { request: coalesce, reply: coalesce },
    },
    coalesceSet: {
      cmd: ETHTOOL_MSG_COALESCE_SET,
      constant: 'ETHTOOL_MSG_COALESCE_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: coalesce },
    },
    /** `ethtool -a`. */
    pauseGet: {
      cmd: ETHTOOL_MSG_PAUSE_GET,
      replyCmd: 22,
      constant: 'ETHTOOL_MSG_PAUSE_GET',
      do: { request: pause, reply: pause },
      dump: { request: pause, reply: pause },
    },
    pauseSet: {
      cmd: ETHTOOL_MSG_PAUSE_SET,
      constant: 'ETHTOOL_MSG_PAUSE_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: pause },
    },
    /** `ethtool --show-eee`. */
    eeeGet: {
      cmd: ETHTOOL_MSG_EEE_GET,
      replyCmd: 24,
      constant: 'ETHTOOL_MSG_EEE_GET',
      do: { request: eee, reply: eee },
      dump: { request: eee, reply: eee },
    },
    eeeSet: {
      cmd: ETHTOOL_MSG_EEE_SET,
      constant: 'ETHTOOL_MSG_EEE_SET',
      flags: GENL_UNS_ADMIN_PERM,
      do: { request: eee },
    },
    /** `ethtool -T`. */
    tsinfoGet: {
      cmd: ETHTOOL_MSG_TSINFO_GET,
      replyCmd: 26,
      constant: 'ETHTOOL_MSG_TSINFO_GET',
      do: { request: tsinfo, reply: tsinfo },
      dump: { request: tsinfo, reply: tsinfo },
    },
  },
  notifications: {
    linkinfoNtf: { cmd: 3, group: 'monitor', body: linkinfo },
    linkmodesNtf: { cmd: 5, group: 'monitor', body: linkmodes },
    debugNtf: { cmd: 8, group: 'monitor', body: debug },
    wolNtf: { cmd: 10, group: 'monitor', body: wol },
    featuresNtf: { cmd: 13, group: 'monitor', body: features },
    privflagsNtf: { cmd: 15, group: 'monitor', body: privflags },
    ringsNtf: { cmd: 17, group: 'monitor', body: rings },
    channelsNtf: { cmd: 19, group: 'monitor', body: channels },
    coalesceNtf: { cmd: 21, group: 'monitor', body: coalesce },
    pauseNtf: { cmd: 23, group: 'monitor', body: pause },
    eeeNtf: { cmd: 25, group: 'monitor', body: eee },
  },
})
