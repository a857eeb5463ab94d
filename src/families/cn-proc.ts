/**
 * Process events: what NETLINK_CONNECTOR tells of fork, exec, exit and kin, in group 1.
 *
 *   +----------------+-----------+-----+--------------+------------------+
 *   | cn_msg, 1 / 1  | u32 what  | cpu | timestamp_ns | 24 bytes by what |
 *   +----------------+-----------+-----+--------------+------------------+
 *
 * A listener sends LISTEN or IGNORE, alone or with a mask of events, to 1 / 1.
 * Kernel: include/uapi/linux/cn_proc.h; drivers/connector/cn_proc.c (Linux 6.12).
 */
import {
  binary,
  enumeration,
  type Infer,
  type Input,
  s32,
  string,
  struct,
  type Type,
  u32,
  u64,
} from '../schema/index.ts'

export const PROC_CN_MCAST_LISTEN = 1
export const PROC_CN_MCAST_IGNORE = 2

/** The acknowledgement of LISTEN and IGNORE. */
export const PROC_EVENT_NONE = 0
export const PROC_EVENT_FORK = 0x1
export const PROC_EVENT_EXEC = 0x2
export const PROC_EVENT_UID = 0x4
export const PROC_EVENT_GID = 0x40
export const PROC_EVENT_SID = 0x80
export const PROC_EVENT_PTRACE = 0x100
export const PROC_EVENT_COMM = 0x200
/** In a mask: exits whose code is not 0. */
export const PROC_EVENT_NONZERO_EXIT = 0x20000000
export const PROC_EVENT_COREDUMP = 0x40000000
export const PROC_EVENT_EXIT = 0x80000000
/** What a listener without a mask gets. */
export const PROC_EVENT_ALL = 0xe00003c7

/** Bytes of a proc_event. */
export const PROC_EVENT_SIZE = 40

/** What a listener sends (struct proc_input). */
export const procInput = struct('proc_input', {
  /** PROC_CN_MCAST_LISTEN or PROC_CN_MCAST_IGNORE. */
  mcastOp: u32,
  /** PROC_EVENT_* together; 0 is all. */
  eventType: u32,
})

/** enum proc_cn_event. */
export const procEventName = enumeration(u32, {
  none: PROC_EVENT_NONE,
  fork: PROC_EVENT_FORK,
  exec: PROC_EVENT_EXEC,
  uid: PROC_EVENT_UID,
  gid: PROC_EVENT_GID,
  sid: PROC_EVENT_SID,
  ptrace: PROC_EVENT_PTRACE,
  comm: PROC_EVENT_COMM,
  coredump: PROC_EVENT_COREDUMP,
  exit: PROC_EVENT_EXIT,
})

/** What all events begin with. */
export const procEventHeader = struct('proc_event', {
  what: procEventName,
  cpu: u32,
  /** Since boot. */
  timestampNs: u64,
})

/** A thread: its own id, and that of its process. */
const thread = { processPid: s32, processTgid: s32 } as const
const parent = { parentPid: s32, parentTgid: s32 } as const
/** char comm[16]: filled up with NULs, cut behind 15 bytes. */
const COMM_SIZE = 16
const comm: Type<string> = {
  shape: { kind: 'string', max: COMM_SIZE - 1, nul: true },
  size: COMM_SIZE,
  flags: 0,
  get: (view, at) => string.get(view, at, at + COMM_SIZE),
  put(w, value) {
    const mark = w.length
    string.put(w, value)
    w.trim(Math.min(w.length, mark + COMM_SIZE - 1))
    w.reserve(mark + COMM_SIZE - w.length)
  },
}

/** What follows, by the name of the event. */
export const procEventData = {
  /** `err` is an errno, positive, or 0. */
  none: struct('ack', { err: u32 }),
  fork: struct('fork_proc_event', { ...parent, childPid: s32, childTgid: s32 }),
  exec: struct('exec_proc_event', thread),
  uid: struct('id_proc_event', { ...thread, ruid: u32, euid: u32 }),
  gid: struct('id_proc_event', { ...thread, rgid: u32, egid: u32 }),
  sid: struct('sid_proc_event', thread),
  /** The tracer is 0 when it lets go. */
  ptrace: struct('ptrace_proc_event', { ...thread, tracerPid: s32, tracerTgid: s32 }),
  comm: struct('comm_proc_event', { ...thread, comm }),
  coredump: struct('coredump_proc_event', { ...thread, ...parent }),
  /** The code is a wait status; the signal is what the parent gets, -1 for none. */
  exit: struct('exit_proc_event', { ...thread, exitCode: u32, exitSignal: s32, ...parent }),
} as const

type Data = typeof procEventData
type Head = { readonly cpu: number; readonly timestampNs: bigint }
type HeadInput = { readonly cpu?: number; readonly timestampNs?: bigint | number }
type Flat<T> = { [K in keyof T]: T[K] } & {}
/** A process event; `what` says what else is in it. */
export type ProcEvent =
  | { [K in keyof Data]: Flat<{ what: K } & Head & Omit<Infer<Data[K]>, 'tail'>> }[keyof Data]
  | ({ readonly what: number; readonly data: Uint8Array } & Head)
/** A process event to be sent; what is left out is 0. */
export type ProcEventInput = {
  [K in keyof Data]: Flat<{ what: K } & HeadInput & Omit<Input<Data[K]>, 'tail'>>
}[keyof Data]

const dataSize = PROC_EVENT_SIZE - procEventHeader.size
const unknownData = binary.exact(dataSize)

/** struct proc_event as one flat value. */
export const procEvent: Type<ProcEvent, ProcEventInput> = {
  shape: {
    kind: 'struct',
    name: 'proc_event',
    fields: [
      ...procEventHeader.shape.fields,
      { name: 'data', offset: procEventHeader.size, type: unknownData },
    ],
  },
  size: PROC_EVENT_SIZE,
  flags: 0,
  get(view, at, end) {
    const from = at + procEventHeader.size
    const head = procEventHeader.get(view, at, Math.min(end, from))
    const type = procEventData[head.what as keyof Data]
    if (!type) return { ...head, data: unknownData.get(view, from, end) } as ProcEvent
    return { ...head, ...type.get(view, from, Math.min(end, from + type.size)) } as ProcEvent
  },
  put(w, value) {
    const end = w.length + PROC_EVENT_SIZE
    procEventHeader.put(w, { cpu: value.cpu, timestampNs: value.timestampNs, what: value.what })
    procEventData[value.what].put(w, value as never)
    w.reserve(end - w.length)
  },
}
