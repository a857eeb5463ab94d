/**
 * TASKSTATS: what a process has used, and what it waited for.
 *
 * Kernel: include/uapi/linux/taskstats.h; kernel/taskstats.c (Linux 6.18). Newer kernels send more
 * behind these members: it is kept in `tail`.
 */
import {
  attrs,
  binary,
  genlFamily,
  message,
  string,
  struct,
  u8,
  u16,
  u32,
  u64,
} from '../schema/index.ts'
import { GENL_ADMIN_PERM } from '../wire/constants.ts'

export const TASKSTATS_CMD_GET = 1
export const TASKSTATS_CMD_NEW = 2

/** Delays are in nanoseconds, times in microseconds, sizes in kilobytes. */
export const taskstatsStruct = struct('taskstats', {
  version: u16,
  pad0: 2,
  exitcode: u32,
  flag: u8,
  nice: u8,
  pad1: 6,
  cpuCount: u64,
  cpuDelayTotal: u64,
  blkioCount: u64,
  blkioDelayTotal: u64,
  swapinCount: u64,
  swapinDelayTotal: u64,
  cpuRunRealTotal: u64,
  cpuRunVirtualTotal: u64,
  /** The command, 32 bytes with zeros behind it. */
  comm: binary.exact(32),
  sched: u8,
  pad2: 7,
  uid: u32,
  gid: u32,
  pid: u32,
  ppid: u32,
  /** Seconds since 1970. */
  btime: u32,
  pad3: 4,
  etime: u64,
  utime: u64,
  stime: u64,
  minflt: u64,
  majflt: u64,
  coremem: u64,
  virtmem: u64,
  hiwaterRss: u64,
  hiwaterVm: u64,
  readChar: u64,
  writeChar: u64,
  readSyscalls: u64,
  writeSyscalls: u64,
  readBytes: u64,
  writeBytes: u64,
  cancelledWriteBytes: u64,
  nvcsw: u64,
  nivcsw: u64,
})

/** What is asked. */
export const taskstatsCmdAttrs = attrs('TASKSTATS_CMD_ATTR_', {
  pid: [1, u32],
  tgid: [2, u32],
  /** `0-3,7`: whose exits are told to this socket, by CPU. */
  registerCpumask: [3, string],
  deregisterCpumask: [4, string],
})

/** The statistics, beside the process or the group of threads that they are of. */
export const taskstatsAggrAttrs = attrs('TASKSTATS_TYPE_', {
  pid: [1, u32],
  tgid: [2, u32],
  stats: [3, taskstatsStruct],
})
export const taskstatsAttrs = attrs('TASKSTATS_TYPE_', {
  aggrPid: [4, taskstatsAggrAttrs],
  aggrTgid: [5, taskstatsAggrAttrs],
})

export const taskstats = genlFamily({
  name: 'TASKSTATS',
  version: 1,
  ops: {
    /** A process's, in the first network and user namespace only. */
    get: {
      cmd: TASKSTATS_CMD_GET,
      replyCmd: TASKSTATS_CMD_NEW,
      constant: 'TASKSTATS_CMD_GET',
      flags: GENL_ADMIN_PERM,
      do: { request: message(taskstatsCmdAttrs), reply: message(taskstatsAttrs) },
    },
  },
})
