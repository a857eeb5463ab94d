/** The notifier chains of a kernel that its parts and its modules keep, with the blocks on them. */
import type { Kernel } from '../kernel.ts'
import {
  AtomicNotifierChain,
  BlockingNotifierChain,
  RawNotifierChain,
  SrcuNotifierChain,
} from '../notifier/index.ts'

/** One block of a chain, or a chain without any. */
export interface ChainRow {
  readonly chain: string
  readonly type: string
  /** The namespace's cookie, for chains that each namespace has. */
  readonly netns?: number | undefined
  readonly block?: string | undefined
  readonly priority?: number | undefined
}

const TYPES = [
  [AtomicNotifierChain, 'atomic'],
  [BlockingNotifierChain, 'blocking'],
  [RawNotifierChain, 'raw'],
  [SrcuNotifierChain, 'srcu'],
] as const

interface AnyChain {
  readonly name: string
  blocks(): readonly { readonly name?: string; readonly priority?: number; readonly call: object }[]
}

/** A chain's type; undefined for what is none. */
function typeOf(value: unknown): string | undefined {
  return TYPES.find(([skin]) => value instanceof skin)?.[1]
}

function* rowsOf(values: Iterable<unknown>, netns?: number): Generator<ChainRow> {
  for (const value of values) {
    const type = typeOf(value)
    if (type === undefined) continue
    const chain = value as AnyChain
    const row = { chain: chain.name, type, netns }
    const blocks = chain.blocks()
    if (blocks.length === 0) yield row
    for (const { name, priority = 0, call } of blocks)
      yield { ...row, block: name ?? ((call as { name?: string }).name || '?'), priority }
  }
}

/** The kernel's own chains, then each namespace's, then those that modules have made. */
export function* chainRows(kernel: Kernel): Generator<ChainRow> {
  for (const holder of [kernel, kernel.netlink, kernel.modules])
    yield* rowsOf(Object.values(holder))
  for (const net of kernel.nets())
    yield* rowsOf(Object.values(kernel.rtnl.stackOf(net).chains), net.cookie)
  for (const { chains } of kernel.modules.list()) yield* rowsOf(chains)
}
