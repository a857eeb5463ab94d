/**
 * uevents: what NETLINK_KOBJECT_UEVENT tells of the kernel's objects, in group 1.
 *
 *   add@/devices/virtual/net/v0 NUL ACTION=add NUL DEVPATH=/devices/virtual/net/v0 NUL … SEQNUM=7 NUL
 *
 * There is no nlmsghdr. Group 2 is udev's own: a datagram that begins with `libudev`.
 * Kernel: lib/kobject_uevent.c, include/linux/kobject.h (Linux 6.12).
 */
import { DecodeError, EncodeError } from '../errors.ts'
import type { Type } from '../schema/index.ts'

/** The kernel's own events. */
export const UEVENT_GROUP_KERNEL = 1
/** What udev makes of them. */
export const UEVENT_GROUP_UDEV = 2
/** Variables of one event (UEVENT_NUM_ENVP). */
export const UEVENT_NUM_ENVP = 64
/** Bytes of its variables, each with a NUL behind it (UEVENT_BUFFER_SIZE). */
export const UEVENT_BUFFER_SIZE = 2048

/** enum kobject_action, in its order. */
export const KOBJECT_ACTIONS = [
  'add',
  'remove',
  'change',
  'move',
  'online',
  'offline',
  'bind',
  'unbind',
] as const
export type KobjectAction = (typeof KOBJECT_ACTIONS)[number]

/** One event. */
export interface Uevent {
  /** `add` and kin. */
  readonly action: string
  /** Below /sys. */
  readonly devpath: string
  /** The variables in their order: ACTION, DEVPATH, SUBSYSTEM and more; SEQNUM is the last. */
  readonly env: Readonly<Record<string, string>>
}

const decoder = new TextDecoder()

/** A uevent's datagram. */
export const uevent: Type<Uevent> = {
  shape: { kind: 'string', nul: true },
  size: undefined,
  flags: 0,
  get(view, at, end) {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, end - at)
    const [head = '', ...variables] = decoder.decode(bytes).split('\0')
    const mark = head.indexOf('@')
    if (mark < 1) throw new DecodeError("'action@devpath' expected", at)
    const pairs = variables
      .map((variable) => [variable, variable.indexOf('=')] as const)
      .filter(([, equals]) => equals > 0)
      .map(([variable, equals]) => [variable.slice(0, equals), variable.slice(equals + 1)])
    const env: Record<string, string> = Object.fromEntries(pairs)
    return { action: head.slice(0, mark), devpath: head.slice(mark + 1), env }
  },
  put(w, { action, devpath, env }) {
    const lines = [`${action}@${devpath}`, ...Object.entries(env).map((pair) => pair.join('='))]
    for (const line of lines) {
      if (line.includes('\0')) throw new EncodeError('a NUL ends a variable')
      w.string(line)
    }
  },
}
