/**
 * RTM_NEWCHAIN, RTM_DELCHAIN, RTM_GETCHAIN.
 *
 * Kernel: net/sched/cls_api.c tc_ctl_chain(), tc_dump_chain(), tc_chain_tmplt_add() (Linux 6.12).
 */
import { RTM_DELCHAIN, RTM_GETCHAIN, RTM_NEWCHAIN } from '../../families/rtnetlink.ts'
import { NLM_F_CREATE } from '../../wire/constants.ts'
import type { RequestContext } from '../netlink/context.ts'
import type { DumpSource } from '../netlink/dump.ts'
import { payloadSize } from '../rtnetlink/parse.ts'
import type { Chain, Template } from './block.ts'
import { putChain } from './chain-fill.ts'
import {
  chainIndexOf,
  disciplineOf,
  dumpedBlock,
  type FilterPlace,
  placeOf,
} from './filter-place.ts'
import { flush } from './filter-request.ts'
import { filterKinds } from './filters/index.ts'
import { refuse, shortName, TcRequest } from './request.ts'
import type { Sched } from './sched.ts'
import type { SchedNet } from './sched-net.ts'

const HEADER_SIZE = 20

/** tc_chain_tmplt_add(). @throws NetlinkError */
function templateOf(tc: TcRequest, net: SchedNet): Template | undefined {
  if (tc.kind === undefined) return undefined
  if (tc.isKindTooLong) refuse('EINVAL', 'Specified TC chain template name too long')
  const ops = filterKinds.get(shortName(tc.kind))
  if (!ops) refuse('ENOENT', 'TC classifier not found')
  if (!ops.template) {
    refuse('EOPNOTSUPP', 'Chain templates are not supported with specified classifier')
  }
  return ops.template(tc, net)
}

/** tc_ctl_chain(). @throws NetlinkError */
export function controlChain(sched: Sched, ctx: RequestContext): void {
  const tc = new TcRequest(ctx)
  const net = sched.netOf(ctx.net)
  const place = placeOf(net, tc, disciplineOf(net, tc))
  const index = chainIndexOf(tc)
  const { block } = place
  const found = block.chains.get(index)
  const chain = found && !found.isOfActionsOnly ? found : undefined
  if (ctx.type === RTM_NEWCHAIN) {
    if (chain) refuse('EEXIST', 'Filter chain already exists')
    if (!found && !(ctx.flags & NLM_F_CREATE)) {
      refuse('ENOENT', 'Need both RTM_NEWCHAIN and NLM_F_CREATE to create a new chain')
    }
    create(tc, net, block.chainFor(index))
    return
  }
  if (!chain) refuse('EINVAL', 'Cannot find specified filter chain')
  if (ctx.type === RTM_DELCHAIN) remove(net, ctx, place, chain)
  else ctx.reply(RTM_GETCHAIN, (w) => putChain(w, chain), ctx.flags)
}

function create(tc: TcRequest, net: SchedNet, chain: Chain): void {
  try {
    chain.template = templateOf(tc, net)
  } catch (error) {
    chain.settle()
    throw error
  }
  chain.isExplicit = true
  chain.isKnown = true
  net.announceChain(chain, false)
}

function remove(net: SchedNet, ctx: RequestContext, place: FilterPlace, chain: Chain): void {
  flush(net, ctx, place, chain)
  chain.isExplicit = false
  chain.settle()
}

export function chainDump(sched: Sched): DumpSource<Chain> {
  return {
    name: 'RTM_GETCHAIN',
    type: RTM_NEWCHAIN,
    *items(ctx) {
      if (payloadSize(ctx) < HEADER_SIZE) return
      const tc = new TcRequest(ctx)
      const place = dumpedBlock(sched.netOf(ctx.net), tc)
      for (const chain of place?.block.chains.values() ?? []) {
        if (tc.chain !== undefined && tc.chain !== chain.index) continue
        if (!chain.isOfActionsOnly) yield chain
      }
    },
    put: putChain,
  }
}
