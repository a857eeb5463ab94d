/**
 * nlkit: the family through which a kernel of nlkit's is looked at and managed: its modules, its
 * log, its notifier chains, its sockets, its namespaces. Linux has none like it; each operation says
 * which program or file it stands for. All of it is the kernel's owner's alone.
 */
import {
  attrs,
  flag,
  genlFamily,
  message,
  multi,
  s32,
  string,
  u8,
  u32,
  u64,
} from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

/** The kernel itself. */
export const statusAttrs = attrs('NLKIT_STATUS_', {
  pid: [1, u32],
  /** nlkit's. */
  version: [2, string],
  /** Where it is served. */
  path: [3, string],
  /** Milliseconds since boot. */
  uptime: [4, u64],
  /** Connections of clients, this one included. */
  clients: [5, u32],
})

/** A module: a row of lsmod, and modinfo. */
export const moduleAttrs = attrs('NLKIT_MODULE_', {
  name: [1, string.max(55)],
  size: [2, u32],
  refcount: [3, u32],
  /** Modules that use it, the newest first. */
  usedBy: [4, multi(string)],
  state: [5, string],
  /** A file to load it from, as the kernel's process sees it. */
  file: [6, string],
  /** insmod's line of parameters. */
  params: [7, string],
  /** rmmod -f. */
  force: [8, flag],
  license: [9, string],
  moduleVersion: [10, string],
  description: [11, string],
  author: [12, string],
  depends: [13, multi(string)],
  /** Parameters as modinfo shows them: `name:description (type)`. */
  parm: [14, multi(string)],
})

/** An entry of the log. */
export const logAttrs = attrs('NLKIT_LOG_', {
  seq: [1, u64],
  /** 0 (KERN_EMERG) to 7 (KERN_DEBUG). */
  level: [2, u8],
  /** Microseconds since boot. */
  time: [3, u64],
  text: [4, string],
})

/** A notifier chain with the blocks on it, in the order of their calls. */
export const blockAttrs = attrs('NLKIT_CHAIN_', {
  chain: [1, string],
  /** `atomic`, `blocking`, `raw` or `srcu`. */
  type: [2, string],
  /** The namespace whose chain it is, by its cookie; absent: the kernel's. */
  netns: [3, u64],
  /** Absent: nobody is on the chain. */
  block: [4, string],
  priority: [5, s32],
})

/** A socket of a process: a row of /proc/net/netlink. */
export const socketAttrs = attrs('NLKIT_SOCKET_', {
  protocol: [1, u32],
  portid: [2, u32],
  /** Process id of who opened it. */
  pid: [3, u32],
  uid: [4, u32],
  /** Groups 1 to 32. */
  groups: [5, u32],
  /** Bytes that wait to be read, and how many may. */
  rmem: [6, u32],
  rcvbuf: [7, u32],
  /** Whether a dump runs on it. */
  dump: [8, flag],
  /** Datagrams that were lost. */
  drops: [9, u32],
  /** Unique in its kernel: SO_COOKIE. */
  cookie: [10, u64],
  /** The namespace that it is in, by its cookie. */
  netns: [11, u64],
})

/** A network namespace: a row of `ip netns list`. */
export const netnsAttrs = attrs('NLKIT_NETNS_', {
  name: [1, string],
  /** Unique in its kernel: SO_NETNS_COOKIE. */
  cookie: [2, u64],
})

/** A recording of what is said, as a capture file. */
export const recordAttrs = attrs('NLKIT_RECORD_', {
  /** The file, as the kernel's process sees it. */
  file: [1, string],
  /** Datagrams that were recorded. */
  count: [2, u64],
})

const owned = { flags: GENL_ADMIN_PERM } as const
const status = message(statusAttrs.only('pid!', 'version!', 'path', 'uptime!', 'clients'))
const loaded = message(moduleAttrs.only('name!', 'size!', 'refcount!', 'usedBy', 'state!'))
const entry = message(logAttrs.only('seq!', 'level!', 'time!', 'text!'))
const netns = message(netnsAttrs.only('name', 'cookie!'))

export const nlkit = genlFamily({
  name: 'nlkit',
  version: 1,
  groups: ['log'],
  ops: {
    getStatus: { cmd: 1, constant: 'NLKIT_CMD_GETSTATUS', ...owned, do: { reply: status } },
    /** Ends the kernel, behind the acknowledgement. */
    stop: { cmd: 2, constant: 'NLKIT_CMD_STOP', ...owned, do: {} },
    /** lsmod. */
    getModule: { cmd: 3, constant: 'NLKIT_CMD_GETMODULE', ...owned, dump: { reply: loaded } },
    /** insmod, from a file. */
    newModule: {
      cmd: 4,
      constant: 'NLKIT_CMD_NEWMODULE',
      ...owned,
      async: true,
      do: {
        request: message(moduleAttrs.only('file!', 'params')),
        reply: message(moduleAttrs.only('name!')),
      },
    },
    /** rmmod. */
    delModule: {
      cmd: 5,
      constant: 'NLKIT_CMD_DELMODULE',
      ...owned,
      async: true,
      do: { request: message(moduleAttrs.only('name!', 'force')) },
    },
    /** modinfo of a loaded module, or of a file. */
    getModuleInfo: {
      cmd: 6,
      constant: 'NLKIT_CMD_GETMODULEINFO',
      ...owned,
      async: true,
      do: {
        request: message(moduleAttrs.only('name', 'file')),
        reply: message(
          moduleAttrs.only(
            'name!',
            'license!',
            'moduleVersion',
            'description',
            'author',
            'depends',
            'parm',
          ),
        ),
      },
    },
    /** dmesg. */
    getLog: { cmd: 7, constant: 'NLKIT_CMD_GETLOG', ...owned, dump: { reply: entry } },
    /** dmesg --clear. */
    clearLog: { cmd: 8, constant: 'NLKIT_CMD_CLEARLOG', ...owned, do: {} },
    /** Every chain's blocks, one a message; a chain without any in a message of its own. */
    getChain: {
      cmd: 9,
      constant: 'NLKIT_CMD_GETCHAIN',
      ...owned,
      dump: { reply: message(blockAttrs.only('chain!', 'type!', 'netns', 'block', 'priority')) },
    },
    /** /proc/net/netlink. */
    getSocket: {
      cmd: 10,
      constant: 'NLKIT_CMD_GETSOCKET',
      ...owned,
      dump: {
        reply: message(
          socketAttrs.only(
            'protocol!',
            'portid!',
            'pid!',
            'uid!',
            'groups!',
            'rmem!',
            'rcvbuf!',
            'dump',
            'drops!',
            'cookie!',
            'netns!',
          ),
        ),
      },
    },
    /** ip netns list. */
    getNetns: { cmd: 11, constant: 'NLKIT_CMD_GETNETNS', ...owned, dump: { reply: netns } },
    /** ip netns add. */
    newNetns: {
      cmd: 12,
      constant: 'NLKIT_CMD_NEWNETNS',
      ...owned,
      do: { request: message(netnsAttrs.only('name!')), reply: netns },
    },
    /** ip netns del. */
    delNetns: {
      cmd: 13,
      constant: 'NLKIT_CMD_DELNETNS',
      ...owned,
      do: { request: message(netnsAttrs.only('name!')) },
    },
    /** Records until it is ended, or until the asker's socket is closed. */
    newRecord: {
      cmd: 15,
      constant: 'NLKIT_CMD_NEWRECORD',
      ...owned,
      do: { request: message(recordAttrs.only('file!')) },
    },
    /** Ends the asker's recording. */
    delRecord: {
      cmd: 16,
      constant: 'NLKIT_CMD_DELRECORD',
      ...owned,
      do: { reply: message(recordAttrs.only('count!')) },
    },
  },
  notifications: {
    /** dmesg --follow. */
    newLog: { cmd: 14, group: 'log', body: entry },
  },
})
