/**
 * dbus: message buses as a generic netlink family of nlkit's. Linux has none; the idea is of 2012, of
 * putting a message daemon's logic behind a family, so that a connection is a socket and its end is
 * NETLINK_URELEASE.
 *
 * A connection: `hello`, then `send` and, by unicast, `message`. What is longer than a datagram takes
 * travels in fragments of one `id`, in order and without gaps.
 */
import {
  attrs,
  binary,
  genlFamily,
  type Infer,
  message,
  multi,
  nest,
  string,
  u32,
  u64,
} from '../schema/index.ts'
import { GENL_UNS_ADMIN_PERM } from '../wire/constants.ts'

/** Of `peerFlags`: it takes descriptors; it is a monitor; it speaks for a client of its own. */
export const DBUS_PEER_FDS = 0x1
export const DBUS_PEER_MONITOR = 0x2
export const DBUS_PEER_GATEWAY = 0x4

/** Why a peer was let go (`reason`). */
export const DBUS_REASON_BYE = 0
export const DBUS_REASON_BUS_GONE = 1
export const DBUS_REASON_EXPELLED = 2

export const fragmentAttrs = attrs('DBUS_FRAG_', {
  id: [1, u32],
  /** Bytes of the message before this fragment, and in all. */
  offset: [2, u32],
  total: [3, u32],
})

/** Who a client is, where another speaks for it. */
export const credentialAttrs = attrs('DBUS_CREDS_', {
  uid: [1, u32],
  pid: [2, u32],
  gids: [3, multi(u32)],
  seclabel: [4, binary],
})

export const limitAttrs = attrs('DBUS_LIMIT_', {
  maxMessageSize: [1, u32],
  maxMessageUnixFds: [2, u32],
  maxOutgoingBytes: [3, u32],
})

export const statAttrs = attrs('DBUS_STAT_', {
  matchRules: [1, u32],
  names: [2, u32],
  incomingMessages: [3, u64],
  incomingBytes: [4, u64],
  outgoingMessages: [5, u64],
  outgoingBytes: [6, u64],
  queuedBytes: [7, u64],
  repliesAwaited: [8, u32],
})

export const dbusAttrs = attrs('DBUS_ATTR_', {
  busId: [1, u32],
  busName: [2, string.max(63)],
  /** N of the unique name `:1.N`. */
  uniqueId: [3, u64],
  name: [4, string.max(255)],
  /** Flags of RequestName. */
  nameFlags: [5, u32],
  /** What RequestName and ReleaseName answer. */
  result: [6, u32],
  matchRule: [7, string.max(1024)],
  /** A rule's own number, by which it can be taken away. */
  matchCookie: [8, u64],
  msg: [9, binary],
  frag: [10, nest(fragmentAttrs)],
  /** Tokens of descriptors, in order. */
  fds: [11, multi(u64)],
  creds: [12, nest(credentialAttrs)],
  peerFlags: [13, u32],
  /** Bytes that the peer has read and makes room for. */
  credit: [14, u32],
  oldOwner: [15, u64],
  newOwner: [16, u64],
  guid: [17, binary.exact(16)],
  /** The D-Bus error's name, where one stands behind an event. */
  error: [18, string],
  reason: [19, u32],
  limits: [20, nest(limitAttrs)],
  stats: [21, nest(statAttrs)],
  dest: [23, string.max(255)],
  serial: [24, u32],
  /** Abstract name of the Unix socket where descriptors are exchanged for tokens. */
  fdDoor: [25, string.max(107)],
})

const bus = message(dbusAttrs.only('busId!', 'busName!', 'guid!', 'limits', 'fdDoor'))
const peer = message(
  dbusAttrs.only('uniqueId!', 'busId!', 'peerFlags', 'creds', 'stats', 'name', 'matchRule'),
)
const ownership = message(dbusAttrs.only('name!', 'newOwner!', 'nameFlags', 'uniqueId'))
const named = message(dbusAttrs.only('name!', 'nameFlags'))
const answered = message(dbusAttrs.only('result!'))
const rule = message(dbusAttrs.only('matchRule', 'matchCookie'))
const admin = { flags: GENL_UNS_ADMIN_PERM } as const

export const dbus = genlFamily({
  name: 'dbus',
  version: 1,
  groups: ['names', 'activation', 'monitor', 'config'],
  ops: {
    newBus: {
      cmd: 1,
      constant: 'DBUS_CMD_BUS_NEW',
      ...admin,
      do: { request: message(dbusAttrs.only('busName!', 'guid')), reply: bus },
    },
    delBus: {
      cmd: 2,
      constant: 'DBUS_CMD_BUS_DEL',
      ...admin,
      do: { request: message(dbusAttrs.only('busId!')) },
    },
    getBus: {
      cmd: 3,
      constant: 'DBUS_CMD_BUS_GET',
      do: { request: message(dbusAttrs.only('busId', 'busName')), reply: bus },
      dump: { reply: bus },
    },
    /** Makes the sending socket a connection of a bus. */
    hello: {
      cmd: 4,
      constant: 'DBUS_CMD_HELLO',
      do: {
        request: message(dbusAttrs.only('busId', 'peerFlags', 'creds')),
        reply: message(dbusAttrs.only('uniqueId!', 'busId!', 'guid!', 'limits!', 'fdDoor')),
      },
    },
    bye: { cmd: 5, constant: 'DBUS_CMD_BYE', do: {} },
    /** A D-Bus message, whole or a fragment of one. */
    send: {
      cmd: 6,
      constant: 'DBUS_CMD_SEND',
      do: { request: message(dbusAttrs.only('msg!', 'frag', 'fds')) },
    },
    requestName: {
      cmd: 8,
      constant: 'DBUS_CMD_NAME_REQUEST',
      do: { request: named, reply: answered },
    },
    releaseName: {
      cmd: 9,
      constant: 'DBUS_CMD_NAME_RELEASE',
      do: { request: message(dbusAttrs.only('name!')), reply: answered },
    },
    getName: {
      cmd: 10,
      constant: 'DBUS_CMD_NAME_GET',
      do: { request: message(dbusAttrs.only('name!', 'busId')), reply: ownership },
      dump: { request: message(dbusAttrs.only('busId')), reply: ownership },
    },
    addMatch: {
      cmd: 11,
      constant: 'DBUS_CMD_MATCH_ADD',
      do: {
        request: message(dbusAttrs.only('matchRule!')),
        reply: message(dbusAttrs.only('matchCookie!')),
      },
    },
    delMatch: { cmd: 12, constant: 'DBUS_CMD_MATCH_DEL', do: { request: rule } },
    getMatch: {
      cmd: 13,
      constant: 'DBUS_CMD_MATCH_GET',
      ...admin,
      dump: {
        request: message(dbusAttrs.only('busId')),
        reply: message(dbusAttrs.only('matchRule!', 'uniqueId!')),
      },
    },
    getPeer: {
      cmd: 14,
      constant: 'DBUS_CMD_PEER_GET',
      do: { request: message(dbusAttrs.only('uniqueId', 'name', 'busId')), reply: peer },
      dump: { request: message(dbusAttrs.only('busId')), reply: peer },
    },
    /** The sender only listens from now on, to what fits one of the rules. */
    monitor: {
      cmd: 15,
      constant: 'DBUS_CMD_MONITOR',
      ...admin,
      do: { request: message(dbusAttrs.only('matchRule')) },
    },
    /** Room for so many bytes more, from a peer whose socket does not say so itself. */
    credit: {
      cmd: 16,
      constant: 'DBUS_CMD_CREDIT',
      do: { request: message(dbusAttrs.only('credit!')) },
    },
    /** Descriptors that came with a message and are had, or not wanted: the bus holds them no more. */
    releaseFds: {
      cmd: 23,
      constant: 'DBUS_CMD_FDS_RELEASE',
      do: { request: message(dbusAttrs.only('fds!')) },
    },
  },
  notifications: {
    /** To one peer: a D-Bus message for it. */
    message: {
      cmd: 7,
      group: 'monitor',
      body: message(dbusAttrs.only('msg!', 'frag', 'fds', 'uniqueId')),
    },
    activate: { cmd: 19, group: 'activation', body: message(dbusAttrs.only('busId!', 'name!')) },
    nameEvent: {
      cmd: 21,
      group: 'names',
      body: message(dbusAttrs.only('busId!', 'name!', 'oldOwner', 'newOwner')),
    },
    peerEvent: {
      cmd: 22,
      group: 'names',
      body: message(dbusAttrs.only('busId!', 'uniqueId!', 'reason!')),
    },
  },
})

export type DbusCredentials = Infer<typeof credentialAttrs>
