/** The families of the live kernel on one of nlkit's, with the same numbers; and dumps as bytes. */
import { NetlinkError } from 'nlkit'
import type { Kernel } from 'nlkit/kernel'
import { genlFamily } from 'nlkit/schema'
import type { Mirror } from 'nlkit/testing'
import type { Socket } from 'nlkit/transport'
import { GENL_ID_CTRL, NLM_F_DUMP, NLM_F_REQUEST, type Writer } from 'nlkit/wire'
import { ask, request } from './raw.ts'

/** A family without operations that takes an id, and `groups` numbers. */
function filler(kernel: Kernel, i: number, groups: number) {
  const names = Array.from({ length: groups }, (_, at) => `g${at}`)
  return kernel.genl.registerFamily(
    genlFamily({ name: `filler${i}`, version: 1, groups: names, ops: {} }),
    {},
  )
}

/**
 * Registers what `mirrors` say on `kernel`, with the same family ids and group numbers: what is
 * hidden in between is filled, and what filled it is gone afterwards.
 * @throws NetlinkError NETLINK_INVALID where the numbers cannot be had.
 */
export function registerMirrors(kernel: Kernel, mirrors: readonly Mirror[]): void {
  const fillers: { unregister(): void }[] = []
  let next = 19
  for (const [at, { info, family, handlers, options }] of mirrors.entries()) {
    const isFixed = info.familyId < 19
    const first = firstGroup(mirrors.slice(at))
    while (!isFixed && next < info.familyId) {
      fillers.push(
        filler(kernel, next, first === undefined || first >= 19 ? 0 : gap(kernel, first)),
      )
      next++
    }
    const registered = kernel.genl.registerFamily(family, handlers, options)
    if (!isFixed) next = registered.id + 1
    const groups = registered.groups.map(({ id }) => id)
    const wanted = (info.mcastGroups ?? []).map(({ id = 0 }) => id)
    if (registered.id !== info.familyId || String(groups) !== String(wanted))
      throw new NetlinkError('NETLINK_INVALID', {
        message: `${family.name} is ${registered.id} with groups ${groups}, not ${info.familyId} with ${wanted}`,
      })
  }
  for (const each of fillers) each.unregister()
}

/** The number of the next group that is given out, the fixed ones aside. */
function firstGroup(mirrors: readonly Mirror[]): number | undefined {
  for (const { info } of mirrors)
    if (info.familyId >= 19 && info.mcastGroups?.length) return info.mcastGroups[0]?.id
  return undefined
}

/** How many group numbers below `first` nobody has. */
function gap(kernel: Kernel, first: number): number {
  const used = new Set(kernel.genl.families().flatMap(({ groups }) => groups.map(({ id }) => id)))
  let free = 0
  for (let id = 2; id < first; id++) if (!used.has(id) && (id < 16 || id > 18)) free++
  return free
}

/** A dump of nlctrl's command `cmd`, message by message in hexadecimal, without port ids. */
async function dumpBytes(
  socket: Socket,
  cmd: number,
  body: (w: Writer) => void = () => {},
): Promise<string[]> {
  const bytes = request(GENL_ID_CTRL, NLM_F_REQUEST | NLM_F_DUMP, 1, (w) => {
    w.u32(0x0100 | cmd)
    body(w)
  })
  const datagrams = await ask(socket, bytes, 1)
  return datagrams.flatMap(({ messages }) =>
    messages.map(
      ({ type, flags, payload }) => `${type} ${flags} ${Buffer.from(payload).toString('hex')}`,
    ),
  )
}

/** Everything that nlctrl tells by dumps, over two sockets to two kernels. */
export async function allBytes(
  socket: Socket,
  names: readonly string[],
): Promise<Record<string, string[]>> {
  const all: Record<string, string[]> = { families: await dumpBytes(socket, 3) }
  for (const name of names)
    all[`policy of ${name}`] = await dumpBytes(socket, 10, (w) => w.attrString(2, name))
  return all
}
