/**
 * Generic netlink under the kernel's names, those that are gone included.
 *
 * Kernel: include/net/genetlink.h, net/netlink/genetlink.c (Linux 6.12; _with_ops and
 * genl_register_ops() until 3.13 and 4.10).
 */
import type { AnyMessage, GenlFamily, Op } from '../../schema/index.ts'
import { genlFamily } from '../../schema/index.ts'
import { NETLINK_GENERIC } from '../../wire/constants.ts'
import { EEXIST, EINVAL, ENOENT } from '../errno.ts'
import type { RegisteredOp } from '../genetlink/family.ts'
import { registerOps } from '../genetlink/family.ts'
import type { FamilyEntry } from '../genetlink/registered-family.ts'
import type { Kernel } from '../kernel.ts'
import type { Net } from '../net-namespace.ts'
import type { RequestContext } from '../netlink/context.ts'
import { dumpedPayloads, type dumpit_func } from './dump.ts'
import { errnoOf } from './errno.ts'
import { type netlink_ext_ack, refuse } from './netlink.ts'
import { nlmsghdr } from './nlmsghdr.ts'
import { nla_parse, nlmsg_cancel, nlmsg_end, nlmsg_put, type sk_buff } from './sk-buff.ts'

/** The family's id is chosen when it is registered (until 4.10; always, since). */
export const GENL_ID_GENERATE = 0
const GENL_HDRLEN = 4
/** resv_start_op: none of the commands is so new that reserved fields would be looked at. */
const ALL_COMMANDS = 256

/** struct genl_info: a request, taken apart. */
export interface genl_info {
  readonly snd_seq: number
  readonly snd_portid: number
  readonly nlhdr: nlmsghdr
  readonly genlhdr: { readonly cmd: number; readonly version: number }
  /** By attribute type. */
  readonly attrs: readonly (Uint8Array | undefined)[]
  readonly net: Net
  readonly extack: netlink_ext_ack
}
/** struct genl_ops. */
export interface genl_ops {
  readonly cmd: number
  readonly flags?: number
  /** @returns 0 or a negative errno. */
  readonly doit?: (skb: sk_buff, info: genl_info) => number
  readonly dumpit?: dumpit_func
}
/** struct genl_multicast_group; `id` is set when the family is registered. */
export interface genl_multicast_group {
  readonly name: string
  id?: number
}
/** struct genl_family; `id` is set when it is registered. */
export interface genl_family {
  id?: number
  readonly name: string
  readonly version?: number
  readonly hdrsize?: number
  readonly maxattr?: number
  readonly ops?: readonly genl_ops[]
  readonly mcgrps?: readonly genl_multicast_group[]
  readonly netnsok?: boolean
}

/** A message that is bytes: what C put, as it put it. */
const bytesMessage = {
  header: undefined,
  attrs: undefined,
  decode: (view: DataView, at = 0, end = view.byteLength) =>
    new Uint8Array(view.buffer, view.byteOffset + at, end - at),
  encode: (w: { put(bytes: Uint8Array): void }, value: Uint8Array) => w.put(value),
  validate: () => undefined,
  pathAt: () => undefined,
  offsetOf: () => undefined,
} as unknown as AnyMessage

function infoOf(ctx: RequestContext): genl_info {
  const at = ctx.payload - GENL_HDRLEN
  const bytes = ctx.skb.bytes.subarray(0, ctx.end)
  return {
    snd_seq: ctx.seq,
    snd_portid: ctx.portid,
    nlhdr: new nlmsghdr(bytes, ctx.start),
    genlhdr: { cmd: ctx.view.getUint8(at), version: ctx.view.getUint8(at + 1) },
    attrs: nla_parse(bytes.subarray(ctx.payload)),
    net: ctx.net,
    extack: {},
  }
}

function opsOf(ops: readonly genl_ops[]) {
  const definitions: Record<string, Op> = {}
  const handlers: Record<string, object> = {}
  for (const [i, { cmd, flags = 0, doit, dumpit }] of ops.entries()) {
    const name = `op${i}_${cmd}`
    definitions[name] = {
      cmd,
      flags,
      ...(doit && { do: {} }),
      ...(dumpit && { dump: { reply: bytesMessage } }),
    }
    handlers[name] = {
      validate: 'none',
      validateDump: 'none',
      ...(doit && {
        doit(_: unknown, ctx: RequestContext) {
          const info = infoOf(ctx)
          const err = doit(ctx.skb, info)
          if (err < 0) throw refuse(err, info.extack)
        },
      }),
      ...(dumpit && {
        *dumpit(_: unknown, ctx: RequestContext) {
          for (const payload of dumpedPayloads(dumpit, ctx)) yield payload.subarray(GENL_HDRLEN)
        },
      }),
    }
  }
  return { definitions, handlers }
}

export function genetlinkOf(kernel: Kernel) {
  const registered = new WeakMap<genl_family, FamilyEntry>()

  function genl_register_family(family: genl_family): number {
    return errnoOf(() => {
      const { name, version = 1, hdrsize = 0, maxattr = 0, ops = [], mcgrps = [] } = family
      const { definitions, handlers } = opsOf(ops)
      const value: GenlFamily = genlFamily({
        name,
        version,
        maxattr,
        headerSize: hdrsize,
        ops: definitions,
        groups: mcgrps.map((group) => group.name),
      })
      const entry = kernel.genl.registerFamily(value, handlers, {
        resvStartOp: ALL_COMMANDS,
        ...(family.netnsok !== undefined && { netnsok: family.netnsok }),
      }) as FamilyEntry
      registered.set(family, entry)
      family.id = entry.id
      for (const group of mcgrps) group.id = entry.groupId(group.name)
    })
  }
  function genl_register_ops(family: genl_family, ops: genl_ops): number {
    const entry = registered.get(family)
    if (!entry) return -ENOENT
    if (!ops.doit && !ops.dumpit) return -EINVAL
    if (entry.ops.has(ops.cmd)) return -EEXIST
    return errnoOf(() => {
      const { definitions, handlers } = opsOf([ops])
      const made = registerOps(
        { ...entry.family, ops: definitions },
        entry.id,
        handlers,
        entry.options,
      )
      for (const [cmd, op] of made) (entry.ops as Map<number, RegisteredOp>).set(cmd, op)
    })
  }
  function genl_unregister_family(family: genl_family): number {
    const entry = registered.get(family)
    registered.delete(family)
    return entry && kernel.genl.unregisterFamily(entry) ? 0 : -ENOENT
  }
  return {
    GENL_ID_GENERATE,
    /** genl_register_family(). @returns 0, -EEXIST, -EINVAL or -ENOSPC; sets `family.id`. */
    genl_register_family,
    /** genl_register_family_with_ops(), until 4.10: all of it or nothing. */
    genl_register_family_with_ops(
      family: genl_family,
      ops: readonly genl_ops[],
      n_ops: number,
    ): number {
      const own = ops.slice(0, n_ops)
      if (own.some(({ doit, dumpit }) => !doit && !dumpit)) return -EINVAL
      const err = genl_register_family(family)
      if (err < 0) return err
      for (const op of own) {
        const failed = genl_register_ops(family, op)
        if (failed === 0) continue
        genl_unregister_family(family)
        return failed
      }
      return 0
    },
    /** genl_register_ops(), until 3.13. @returns 0, -ENOENT, -EINVAL or -EEXIST. */
    genl_register_ops,
    /** genl_unregister_family(). @returns 0 or -ENOENT. */
    genl_unregister_family,
    /** genl_unregister_mc_group(), until 3.13: nobody is a member any more. */
    genl_unregister_mc_group(_family: genl_family, grp: genl_multicast_group): void {
      if (grp.id !== undefined) kernel.netlink.clearMembers(NETLINK_GENERIC, grp.id)
    },
    /** genlmsg_put(): both headers. @returns where in the buffer attributes go, null without room. */
    genlmsg_put(
      skb: sk_buff,
      portid: number,
      seq: number,
      family: genl_family,
      flags: number,
      cmd: number,
    ): nlmsghdr | null {
      const size = GENL_HDRLEN + (family.hdrsize ?? 0)
      const nlh = nlmsg_put(skb, portid, seq, family.id ?? 0, size, flags)
      if (nlh) nlh.bytes.set([cmd, family.version ?? 1], 16)
      return nlh
    },
    /** genlmsg_end(). */
    genlmsg_end: nlmsg_end,
    /** genlmsg_cancel(). */
    genlmsg_cancel: nlmsg_cancel,
    /** genlmsg_reply(): to who asked. @returns bytes or a negative errno. */
    genlmsg_reply: (skb: sk_buff, info: genl_info): number =>
      kernel.genl.socketOf(info.net).unicast(skb, info.snd_portid),
    /** genlmsg_multicast(): to a group of the family, by its place. @returns 0, -EINVAL or -ESRCH. */
    genlmsg_multicast(
      family: genl_family,
      skb: sk_buff,
      portid: number,
      group: number,
      _flags: number,
    ): number {
      const id = family.mcgrps?.[group]?.id
      if (id === undefined) return -EINVAL
      return kernel.genl.socketOf(kernel.initNet).broadcast(skb, { group: id, portid })
    },
    /**
     * genl_lock(), genl_unlock(): between them no handler of another call can run here, as nothing
     * is interrupted; they keep the count, so that a listing that forgets one is found.
     */
    ...lockOf(),
  }
}

/** The lock that one thread never waits for. */
function lockOf() {
  let depth = 0
  return {
    genl_lock(): void {
      if (depth > 0) throw new Error('genl_lock: it is held already: Linux would wait forever')
      depth++
    },
    genl_unlock(): void {
      if (depth === 0) throw new Error('genl_unlock: it is not held')
      depth--
    },
  }
}
