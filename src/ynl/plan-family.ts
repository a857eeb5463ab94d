/** The family itself: messages, operations, notifications, groups. */
import { bodyOf } from './check-operations.ts'
import {
  array,
  call,
  type Declaration,
  type Entry,
  type Expression,
  literal,
  method,
  name,
  object,
} from './expression.ts'
import type { AttributeSet, Exchange, Listing, Operation, Ref, Spec } from './model.ts'
import { camelCase, Names, upperCase, without } from './names.ts'
import { Plan } from './plan.ts'
import { isSent, Sets } from './plan-sets.ts'
import { Structs } from './plan-struct.ts'

/** Where an operation or a notification is in the family. */
export interface Placed {
  readonly key: string
  readonly operation: Operation
}

/** A spec's declarations, the last of which is the family. */
export interface PlannedFamily {
  readonly declarations: readonly Declaration[]
  readonly family: string
  readonly operations: readonly Placed[]
  readonly notifications: readonly Placed[]
}

/** Names of protocols that nlkit/wire has. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  0: 'NETLINK_ROUTE',
  4: 'NETLINK_SOCK_DIAG',
  6: 'NETLINK_XFRM',
  9: 'NETLINK_AUDIT',
  12: 'NETLINK_NETFILTER',
}

/** The parts of an exchange that a message can be. */
type Part = 'request' | 'reply' | 'event'

class FamilyPlanner {
  readonly #plan: Plan
  readonly #structs: Structs
  readonly #sets: Sets
  readonly #spec: Spec
  /** How often each message is used, then its name if it has one. */
  readonly #uses = new Map<string, number>()
  readonly #messages = new Map<string, Expression>()
  readonly #commands = new Map<number, Expression>()

  /** The family's own name in the file, before anything else can take it. */
  readonly #name: string

  constructor(spec: Spec) {
    this.#spec = spec
    this.#plan = new Plan(spec)
    const wanted = camelCase(spec.name)
    this.#name = this.#plan.names.take(wanted, `${wanted}Family`)
    this.#structs = new Structs(this.#plan)
    this.#sets = new Sets(this.#plan, this.#structs)
  }

  plan(): PlannedFamily {
    const { operations } = this.#spec
    const all = [...operations.values()]
    const names = new Names()
    const calls = all
      .filter((each) => (each.do ?? each.dump) && each.requestId !== undefined)
      .map((operation) => ({ key: names.take(camelCase(operation.name)), operation }))
    const told = all
      .filter((each) => this.#isNotification(each))
      .map((operation) => ({ key: names.take(camelCase(operation.name)), operation }))
    this.#reserveHeaders(all)
    this.#countUses(calls, told)
    for (const each of [...calls, ...told]) this.#command(each.operation)
    const ops = calls.map((placed) => this.#operation(placed))
    const notifications = told.map((placed) => this.#notification(placed))
    const family = this.#family(ops, notifications)
    const { declarations } = this.#plan
    return { declarations, family, operations: calls, notifications: told }
  }

  #isNotification({ notify, event, replyId }: Operation): boolean {
    return (notify ?? event) !== undefined && replyId !== undefined && this.#groups().length > 0
  }

  /** Groups that can be joined. */
  #groups(): readonly { readonly name: string; readonly id: number | undefined }[] {
    const { groups, protocol } = this.#spec
    return protocol === 'netlink-raw' ? groups.filter(({ id }) => id !== undefined) : groups
  }

  /** Members of headers and the attributes behind them share one object. */
  #reserveHeaders(operations: readonly Operation[]): void {
    const reserve = (header: Ref | undefined, ref: Ref | undefined): void => {
      const set = ref && this.#spec.sets.get(ref.text)
      if (!header || !set) return
      const names = set.attributes.map((each) => this.#sets.keyOf(set, each.name))
      this.#structs.reserve(header, names, set.byName.keys())
    }
    for (const operation of operations) {
      const { set, fixedHeader } = bodyOf(this.#spec, operation)
      reserve(fixedHeader, set)
    }
    for (const { formats } of this.#spec.subMessages.values())
      for (const { fixedHeader, set } of formats) reserve(fixedHeader, set)
  }

  #countUses(calls: readonly Placed[], told: readonly Placed[]): void {
    const count = (of: Operation, listing: Listing | undefined, part: Part): void => {
      const key = this.#keyOf(of, listing, part)
      if (key !== undefined) this.#uses.set(key, (this.#uses.get(key) ?? 0) + 1)
    }
    for (const { operation } of calls)
      for (const exchange of [operation.do, operation.dump]) {
        if (!exchange) continue
        count(operation, exchange.request, 'request')
        count(operation, exchange.reply, 'reply')
      }
    for (const { operation } of told) count(...this.#bodyOf(operation), 'reply')
  }

  /** The operation whose reply a notification has, and that reply. */
  #bodyOf(operation: Operation): [Operation, Listing | undefined] {
    const { notify, event } = operation
    const of = notify && this.#spec.operations.get(notify.text)
    if (!of) return [operation, event]
    const listing = of.do?.reply ?? of.dump?.reply ?? of.event ?? { ...of, attributes: undefined }
    const { set, fixedHeader } = bodyOf(this.#spec, operation)
    return [
      { ...operation, set: set ?? of.set, fixedHeader: operation.fixedHeader ?? fixedHeader },
      listing,
    ]
  }

  /**
   * The names of a message's attributes: undefined for none, '*' for all. In genetlink and
   * genetlink-c the kernel's code is made of the spec's lists; for the older families they are what
   * somebody has seen, and anything of the set may come.
   */
  #selection(set: AttributeSet, listing: Listing | undefined): readonly string[] | '*' | undefined {
    const { protocol } = this.#spec
    if (protocol === 'genetlink-legacy' || protocol === 'netlink-raw')
      return listing ? '*' : undefined
    const names = (listing?.attributes ?? []).map(({ text }) => text)
    const sent = names.filter((each) => {
      const attribute = set.byName.get(each)
      return attribute && isSent(attribute)
    })
    const all = set.attributes.filter(isSent)
    if (sent.length === 0) return undefined
    return sent.length === all.length && all.every((each) => sent.includes(each.name))
      ? '*'
      : [...new Set(sent)]
  }

  /** What tells one message from another. */
  #keyOf(operation: Operation, listing: Listing | undefined, part: Part): string | undefined {
    const { fixedHeader, set: ref } = operation
    const set = ref && this.#spec.sets.get(ref.text)
    // a request of these has its header even if the spec says nothing of it
    const isBare = part === 'request' && fixedHeader !== undefined
    if (!set || (!listing && !isBare)) return undefined
    const selection = this.#selection(set, listing ?? { ...operation, attributes: undefined })
    if (selection === undefined && !fixedHeader) return undefined
    return JSON.stringify([fixedHeader?.text, set.name, selection])
  }

  #message(
    operation: Operation,
    listing: Listing | undefined,
    part: Part,
    wanted: string,
  ): Expression | undefined {
    const key = this.#keyOf(operation, listing, part)
    if (key === undefined) return undefined
    const known = this.#messages.get(key)
    if (known) return known
    const value = this.#newMessage(operation, listing)
    if ((this.#uses.get(key) ?? 0) < 2) return value
    // one that carries the whole set is called after it
    const [, set, selection] = JSON.parse(key) as [unknown, string, unknown]
    const base = selection === '*' ? without(camelCase(set), /(Attrs|Attributes|Attr)$/) : wanted
    const declared = this.#plan.declare([base, `${base}Message`], value, { isExported: false })
    this.#messages.set(key, declared)
    return declared
  }

  #newMessage(operation: Operation, listing: Listing | undefined): Expression {
    const { fixedHeader, set: ref } = operation
    const set = this.#spec.sets.get(ref?.text as string) as AttributeSet
    const selection = this.#selection(set, listing ?? { ...operation, attributes: undefined })
    const parts: Expression[] = fixedHeader ? [this.#structs.nameOf(fixedHeader)] : []
    if (selection !== undefined) {
      const whole = this.#sets.nameOf({ text: set.name })
      const keys =
        selection === '*' ? [] : selection.map((each) => literal(this.#sets.keyOf(set, each)))
      parts.push(selection === '*' ? whole : method(whole, 'only', ...keys))
    }
    return call('message', ...parts)
  }

  /** Declares the constant of an operation's number, if it is known how C calls it. */
  #command(operation: Operation): void {
    const { name: family, protocol, protonum, commandPrefix, isDirectional } = this.#spec
    const isGeneric = protocol !== 'netlink-raw'
    const fallback = isGeneric ? `${family}-cmd-` : protonum === 0 ? 'rtm-' : undefined
    const prefix = commandPrefix ?? fallback
    const isReply = isDirectional && operation.requestId === undefined
    const id = operation.requestId ?? operation.replyId
    if (prefix === undefined || id === undefined || isReply || this.#commands.has(id)) return
    const constant = upperCase(`${prefix}${operation.name}`)
    this.#commands.set(id, this.#plan.declare([constant], literal(id)))
  }

  /** A number as its constant; numbers of replies are others where the directions have their own. */
  #number(id: number, isReply: boolean): Expression {
    const { isDirectional, protocol } = this.#spec
    const isApart = isReply && isDirectional && protocol !== 'netlink-raw'
    return (isApart ? undefined : this.#commands.get(id)) ?? literal(id)
  }

  #operation({ key, operation }: Placed): Entry {
    const { requestId, replyId, flags } = operation
    const cmd = this.#number(requestId as number, false)
    const entries: Entry[] = [{ key: 'cmd', value: cmd }]
    if (replyId !== undefined && replyId !== requestId)
      entries.push({ key: 'replyCmd', value: this.#number(replyId, true) })
    if (cmd.kind === 'name') entries.push({ key: 'constant', value: literal(cmd.name) })
    if (flags.includes('admin-perm')) entries.push({ key: 'flags', value: name('GENL_ADMIN_PERM') })
    else if (flags.includes('uns-admin-perm'))
      entries.push({ key: 'flags', value: name('GENL_UNS_ADMIN_PERM') })
    for (const kind of ['do', 'dump'] as const) {
      const exchange = operation[kind]
      if (exchange) entries.push({ key: kind, value: this.#exchange(key, operation, exchange) })
    }
    return { key, value: object(entries), doc: operation.doc }
  }

  #exchange(key: string, operation: Operation, { request, reply }: Exchange): Expression {
    const entries: Entry[] = []
    const asked = this.#message(operation, request, 'request', `${key}Request`)
    const told = this.#message(operation, reply, 'reply', `${key}Reply`)
    if (asked) entries.push({ key: 'request', value: asked })
    if (told) entries.push({ key: 'reply', value: told })
    return object(entries)
  }

  #notification({ key, operation }: Placed): Entry {
    const [of, listing] = this.#bodyOf(operation)
    const body = this.#message(of, listing, 'reply', key)
    const groups = operation.group
      ? [operation.group.text]
      : this.#groups().map((each) => each.name)
    const names = groups.map((each) => literal(this.#groupKey(each)))
    return {
      key,
      doc: operation.doc,
      value: object([
        { key: 'cmd', value: this.#number(operation.replyId as number, true) },
        { key: 'group', value: names.length === 1 ? (names[0] as Expression) : array(names) },
        { key: 'body', value: body ?? call('message', call('attrs', literal(''), object([]))) },
      ]),
    }
  }

  /** Generic groups have the kernel's names, those of other protocols ours. */
  #groupKey(group: string): string {
    if (this.#spec.protocol !== 'netlink-raw') return group
    return camelCase(without(group, /^(rtnlgrp|nfnlgrp)-/i))
  }

  #family(ops: readonly Entry[], notifications: readonly Entry[]): string {
    const { name: family, protocol, protonum, version, doc } = this.#spec
    const isGeneric = protocol !== 'netlink-raw'
    const entries: Entry[] = [{ key: 'name', value: literal(family) }]
    if (isGeneric) entries.push({ key: 'version', value: literal(version) })
    else {
      const constant = PROTOCOLS[protonum]
      entries.push({ key: 'protocol', value: constant ? name(constant) : literal(protonum) })
    }
    entries.push(...this.#headerSize(), ...this.#groupEntries(isGeneric))
    entries.push({ key: 'ops', value: object(ops) })
    if (notifications.length > 0)
      entries.push({ key: 'notifications', value: object(notifications) })
    const made = call(isGeneric ? 'genlFamily' : 'rawFamily', object(entries))
    this.#plan.declarations.push({ name: this.#name, value: made, doc, isExported: true })
    return this.#name
  }

  #headerSize(): Entry[] {
    if (this.#spec.protocol === 'netlink-raw') return []
    const header = [...this.#spec.operations.values()].find((each) => each.fixedHeader)?.fixedHeader
    return header ? [{ key: 'headerSize', value: literal(this.#structs.sizeOf(header)) }] : []
  }

  #groupEntries(isGeneric: boolean): Entry[] {
    const groups = this.#groups()
    if (groups.length === 0) return []
    const value = isGeneric
      ? array(groups.map((each) => literal(each.name)))
      : object(
          groups.map(({ name: each, id }) => ({
            key: this.#groupKey(each),
            value: literal(id as number),
          })),
        )
    return [{ key: 'groups', value }]
  }
}

/** What a spec's family file declares. */
export function planFamily(spec: Spec): PlannedFamily {
  return new FamilyPlanner(spec).plan()
}
