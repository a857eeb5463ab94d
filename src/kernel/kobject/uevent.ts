/**
 * From an object and an action to the text of a uevent.
 *
 * Kernel: lib/kobject_uevent.c kobject_uevent_env(), kobject_synth_uevent() (Linux 6.12).
 */
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { KOBJECT_ACTIONS, type KobjectAction } from '../../families/uevent.ts'
import type { Kobject, Kset } from './kobject.ts'
import { UeventEnv } from './uevent-env.ts'

/** What the kernel's numbers and sockets do for a uevent. */
export interface UeventSink {
  /** The number of the next event: it is used up. */
  nextSeqnum(): bigint
  warn(text: string): void
  broadcast(kobj: Kobject, lines: readonly string[]): void
}

/** The kset of the object, or of the nearest ancestor that has one. */
function ksetOf(kobj: Kobject): Kset | undefined {
  let top: Kobject = kobj
  while (!top.kset && top.parent) top = top.parent
  return top.kset
}

/** Tells what happens to `kobj`: see `Kobject.uevent`. */
export function kobjectUevent(
  kobj: Kobject,
  action: KobjectAction,
  extra: readonly string[],
  sink: UeventSink,
): void {
  if (!KOBJECT_ACTIONS.includes(action)) throw new NetlinkError('EINVAL')
  if (action === 'remove') kobj.isRemoveSent = true
  const kset = ksetOf(kobj)
  if (!kset) {
    throw new NetlinkError('EINVAL', { message: `kobject '${kobj.name}' is in no kset` })
  }
  const { ops } = kset
  if (kobj.ueventSuppress || ops.filter?.(kobj) === false) return
  const subsystem = ops.name ? ops.name(kobj) : kset.name
  if (subsystem === undefined) return
  const { path } = kobj
  if (path === undefined) throw new NetlinkError('ENOENT', { message: 'kobject without a path' })
  const env = new UeventEnv((text) => sink.warn(text))
  for (const line of [`ACTION=${action}`, `DEVPATH=${path}`, `SUBSYSTEM=${subsystem}`, ...extra]) {
    env.add(line)
  }
  ops.uevent?.(kobj, env)
  if (action === 'add') kobj.isAddSent = true
  if (action === 'unbind') env.drop('MODALIAS')
  env.add(`SEQNUM=${sink.nextSeqnum()}`)
  sink.broadcast(kobj, [`${action}@${path}`, ...env.lines])
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/i

/** The environment that `UUID [KEY=VALUE …]` asks for. */
function synthEnv(args: string): string[] {
  const [uuid] = UUID.exec(args) ?? []
  const rest = args.slice(uuid?.length ?? 0)
  if (uuid === undefined || !/^( [a-z0-9]+=[a-z0-9]+)*$/i.test(rest)) {
    throw new NetlinkError('EINVAL', { message: 'incorrect uevent action arguments' })
  }
  const words = rest.split(' ').slice(1)
  return [`SYNTH_UUID=${uuid}`, ...words.map((word) => `SYNTH_ARG_${word}`)]
}

/** Does what user space writes into `kobj`'s uevent file: see `Kobject.synthUevent`. */
export function kobjectSynthUevent(kobj: Kobject, text: string, sink: UeventSink): void {
  const line = text.replace(/[\n\0]$/, '')
  const blank = line.indexOf(' ')
  const name = blank < 0 ? line : line.slice(0, blank)
  let why = 'failed to send uevent'
  try {
    const action = KOBJECT_ACTIONS.find((each) => each === name)
    if (!action) {
      why = 'unknown uevent action string'
      throw new NetlinkError('EINVAL', { message: why })
    }
    let env = ['SYNTH_UUID=0']
    if (blank >= 0) {
      const failing = why
      why = 'incorrect uevent action arguments'
      env = synthEnv(line.slice(blank + 1))
      why = failing
    }
    kobjectUevent(kobj, action, env, sink)
  } catch (error) {
    sink.warn(`synth uevent: ${kobj.path ?? 'unknown device'}: ${why}`)
    throw isNetlinkError(error) ? error : new NetlinkError('EINVAL', { cause: error })
  }
}
