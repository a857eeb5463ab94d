/** The kinds of actions that there are. */
import type { ActionOps } from '../action.ts'
import { gact } from './gact.ts'
import { mirred } from './mirred.ts'
import { mpls } from './mpls.ts'
import { pedit } from './pedit.ts'
import { police } from './police.ts'
import { skbedit } from './skbedit.ts'
import { vlan } from './vlan.ts'

export const actionKinds: ReadonlyMap<string, ActionOps> = new Map(
  [gact, mirred, mpls, pedit, police, skbedit, vlan].map((ops) => [ops.kind, ops]),
)
