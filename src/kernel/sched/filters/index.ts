/** The kinds of filters that there are. */
import type { FilterOps } from '../block.ts'
import { basic } from './basic.ts'
import { flower } from './flower.ts'
import { fw } from './fw.ts'
import { matchall } from './matchall.ts'
import { u32 } from './u32.ts'

export const filterKinds: ReadonlyMap<string, FilterOps> = new Map(
  [basic, flower, fw, matchall, u32].map((ops) => [ops.kind, ops]),
)
