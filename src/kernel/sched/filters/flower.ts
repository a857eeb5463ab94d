/** flower: by what is in the headers. Kernel: net/sched/cls_flower.c fl_change(), fl_dump() (Linux 6.12). */
import type { Span } from '../../rtnetlink/policy-types.ts'
import type { Filter, FilterOps, FilterRequest, Proto, Template } from '../block.ts'
import { TCA_OPTIONS } from '../constants.ts'
import { type Exts, extsOf, putExts, releaseExts } from '../exts.ts'
import { refuse, type TcRequest } from '../request.ts'
import { areFlagsValid, settleFlags } from './flags.ts'
import { type FlowerKey, flowerKeyOf, flowerPolicy } from './flower-keys.ts'
import { indevOf } from './indev.ts'

interface Flower extends Filter {
  readonly ifindex: number
  readonly key: FlowerKey
  readonly flags: number
  readonly exts: Exts
}

const listOf = (tp: Proto): Flower[] => tp.state as Flower[]
const netOf = (tp: Proto) => tp.chain.block.net
type Options = ReturnType<typeof flowerPolicy.decode>

function keyOf(tc: TcRequest, asked: Options): FlowerKey {
  const spans = asked as Record<string, unknown>
  return flowerKeyOf((type) => {
    const span = spans[`key${type}`] as Span | undefined
    return span && tc.bytes(span)
  })
}

function isSame(a: Flower, ifindex: number, key: FlowerKey): boolean {
  const text = (of: FlowerKey): string => of.map(([type, bytes]) => `${type}:${bytes}`).join()
  return a.ifindex === ifindex && text(a.key) === text(key)
}

/** The types whose masks count: filters of one mask are kept together. */
function maskOf({ ifindex, key }: Pick<Flower, 'ifindex' | 'key'>): string {
  return `${ifindex !== 0}:${key.map(([type]) => type).join()}`
}

function make(
  tp: Proto,
  request: FilterRequest,
  asked: Options,
  handle: number,
  old: Flower | undefined,
): Flower {
  const { tc, net } = request
  const exts = extsOf(tp, request, asked)
  try {
    const ifindex = asked.indev === undefined ? 0 : indevOf(net, asked.indev)
    const key = keyOf(tc, asked)
    if (old && maskOf(old) !== maskOf({ ifindex, key })) refuse('EINVAL')
    if (!old && listOf(tp).some((each) => isSame(each, ifindex, key))) refuse('EEXIST')
    const flags = settleFlags(asked.flags ?? 0)
    return { handle, classid: asked.classid, ifindex, key, flags, exts }
  } catch (error) {
    releaseExts(net, exts)
    throw error
  }
}

export const flower: FilterOps = {
  kind: 'flower',
  deletesEmpty: true,
  init(tp) {
    tp.state = []
  },
  get: (tp, handle) => listOf(tp).find((each) => each.handle === handle),
  change(tp, request, each) {
    const { tc } = request
    if (!tc.options) refuse('EINVAL')
    const asked = tc.nest(flowerPolicy, true)
    const old = each as Flower | undefined
    if (asked.flags !== undefined && !areFlagsValid(asked.flags)) refuse('EINVAL')
    const list = listOf(tp)
    let handle = old?.handle ?? request.handle
    for (let free = 1; handle === 0; free++) {
      if (!list.some((other) => other.handle === free)) handle = free
    }
    const filter = make(tp, request, asked, handle, old)
    if (old) {
      list[list.indexOf(old)] = filter
      releaseExts(netOf(tp), old.exts)
    } else list.push(filter)
    list.sort((a, b) => a.handle - b.handle)
    return filter
  },
  delete(tp, filter) {
    const list = listOf(tp)
    list.splice(list.indexOf(filter as Flower), 1)
    releaseExts(netOf(tp), (filter as Flower).exts)
    return list.length === 0
  },
  walk: listOf,
  destroy(tp) {
    for (const { exts } of listOf(tp).splice(0)) releaseExts(netOf(tp), exts)
  },
  put(w, tp, filter) {
    const { classid, ifindex, key, flags, exts } = filter as Flower
    const nest = w.attrStart(TCA_OPTIONS)
    if (classid) w.attrU32(1, classid)
    const dev = ifindex ? netOf(tp).stack.devices.byIndex(ifindex) : undefined
    if (dev) w.attrString(2, dev.name)
    for (const [type, bytes] of key) w.attrBytes(type, bytes)
    if (flags) w.attrU32(22, flags)
    w.attrU32(86, 0)
    putExts(w, netOf(tp), exts, { act: 3 })
    w.attrEnd(nest)
  },
  template(tc): Template {
    if (!tc.options) refuse('EINVAL')
    const key = keyOf(tc, tc.nest(flowerPolicy, true))
    return {
      ops: flower,
      put(w) {
        const nest = w.attrStart(TCA_OPTIONS)
        for (const [type, bytes] of key) w.attrBytes(type, bytes)
        w.attrEnd(nest)
      },
    }
  },
}
