/**
 * The rules of a bus, found by what a message says: a broadcast costs what it matches, whatever else
 * there is.
 *
 * Four looks, each at what the message has or at what may be anything: sender, path (itself, or a
 * namespace that it is in), interface and member; then, if a rule asks for a text argument, that.
 */
import { Level } from './level.ts'
import { type Matchable, matchesRest, matchesRule } from './match.ts'
import type { ArgumentMatch, MatchRule } from './rule.ts'

/** Whose a rule is. The index leaves a mark on it, so that each is found once a message. */
export interface RuleOwner {
  mark: number
}

/** A rule, and who has it; who has it twice is there twice. */
interface Entry<Owner> {
  readonly rule: MatchRule
  readonly owners: Owner[]
}

/** Rules that share sender, path, interface and member: by their first text argument, or without. */
interface Leaf<Owner> {
  readonly plain: Entries<Owner>
  /** By argument number, then by the text that it has to be; undefined before there is any. */
  byArgument: Map<number, Level<Entries<Owner>>> | undefined
}
/** By the rules' texts. */
type Entries<Owner> = Level<Entry<Owner>>

/** What may be anything, as a key: no path, name or member is empty. */
const ANY = ''
type Members<Owner> = Level<Leaf<Owner>>
type Interfaces<Owner> = Level<Members<Owner>>
/** Keys are paths, and namespaces with a mark behind them. */
type Paths<Owner> = Level<Interfaces<Owner>>
const NAMESPACE_MARK = '*'

let lastMark = 0

/** A mark that no owner bears yet. */
export function nextMark(): number {
  return ++lastMark
}

export class RuleIndex<Owner extends RuleOwner> {
  readonly #senders = new Level<Paths<Owner>>()
  readonly #eavesdroppers: Entries<Owner> = new Level()
  /** Rules that name a namespace of paths: without any, a message's path is not taken apart. */
  #namespaces = 0

  /** Whether a message may interest others than whom it is addressed to. */
  get hasEavesdroppers(): boolean {
    return this.#eavesdroppers.size > 0
  }

  add(owner: Owner, rule: MatchRule): void {
    const entries = this.#entriesOf(rule, true)!
    const entry = entries.get(rule.text)
    if (entry) entry.owners.push(owner)
    else entries.set(rule.text, { rule, owners: [owner] })
    if (rule.pathNamespace !== undefined) this.#namespaces++
  }

  /** Takes one of the owner's rules that equal `rule` away; false if it has none. */
  remove(owner: Owner, rule: MatchRule): boolean {
    const entries = this.#entriesOf(rule, false)
    const entry = entries?.get(rule.text)
    const at = entry ? entry.owners.lastIndexOf(owner) : -1
    if (!entries || !entry || at < 0) return false
    entry.owners.splice(at, 1)
    if (rule.pathNamespace !== undefined) this.#namespaces--
    if (entry.owners.length > 0) return true
    entries.delete(rule.text)
    if (entries.size === 0 && !rule.eavesdrop) this.#prune(rule)
    return true
  }

  /**
   * Adds to `into` whoever wants `message` and does not bear `mark` yet, and marks them.
   * `names` are the well-known names that its sender owns.
   */
  collect(message: Matchable, names: Iterable<string>, mark: number, into: Owner[]): void {
    if (this.#eavesdroppers.size > 0) this.#eavesdrop(message, mark, into)
    if (message.destination !== undefined) return
    this.#fromSender(this.#senders.get(ANY), message, mark, into)
    this.#fromSender(this.#senders.get(message.sender), message, mark, into)
    for (const name of names) this.#fromSender(this.#senders.get(name), message, mark, into)
  }

  #eavesdrop(message: Matchable, mark: number, into: Owner[]): void {
    this.#eavesdroppers.each(({ rule, owners }) => {
      if (matchesRule(rule, message)) take(owners, mark, into)
    })
  }

  #fromSender(
    paths: Paths<Owner> | undefined,
    message: Matchable,
    mark: number,
    into: Owner[],
  ): void {
    if (paths === undefined) return
    this.#atPath(paths.get(ANY), message, mark, into)
    const { path } = message
    if (path === undefined) return
    this.#atPath(paths.get(path), message, mark, into)
    if (this.#namespaces === 0) return
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1))
      this.#atPath(paths.get(path.slice(0, end) + NAMESPACE_MARK), message, mark, into)
    if (path !== '/') this.#atPath(paths.get(`/${NAMESPACE_MARK}`), message, mark, into)
  }

  #atPath(
    interfaces: Interfaces<Owner> | undefined,
    message: Matchable,
    mark: number,
    into: Owner[],
  ): void {
    if (interfaces === undefined) return
    this.#inInterface(interfaces.get(ANY), message, mark, into)
    if (message.interface !== undefined)
      this.#inInterface(interfaces.get(message.interface), message, mark, into)
  }

  #inInterface(
    members: Members<Owner> | undefined,
    message: Matchable,
    mark: number,
    into: Owner[],
  ): void {
    if (members === undefined) return
    atLeaf(members.get(ANY), message, mark, into)
    if (message.member !== undefined) atLeaf(members.get(message.member), message, mark, into)
  }

  /** The map in which `rule` is kept, made if `make` says so. */
  #entriesOf(rule: MatchRule, make: boolean): Entries<Owner> | undefined {
    if (rule.eavesdrop) return this.#eavesdroppers
    const paths = descend(this.#senders, rule.sender ?? ANY, make, newLevel<Interfaces<Owner>>)
    const interfaces = paths && descend(paths, pathKey(rule), make, newLevel<Members<Owner>>)
    const members =
      interfaces && descend(interfaces, rule.interface ?? ANY, make, newLevel<Leaf<Owner>>)
    const leaf = members && descend(members, rule.member ?? ANY, make, newLeaf<Owner>)
    if (leaf === undefined) return undefined
    const argument = textArgument(rule)
    if (argument === undefined) return leaf.plain
    if (make) leaf.byArgument ??= new Map()
    const texts = leaf.byArgument?.get(argument.index)
    if (texts) return descend(texts, argument.value, make, newLevel<Entry<Owner>>)
    if (!make) return undefined
    const entries = newLevel<Entry<Owner>>()
    const made = newLevel<Entries<Owner>>()
    made.set(argument.value, entries)
    leaf.byArgument!.set(argument.index, made)
    return entries
  }

  /** Takes away what has become empty on the way to `rule`. */
  #prune(rule: MatchRule): void {
    const [sender, path] = [rule.sender ?? ANY, pathKey(rule)]
    const [name, member] = [rule.interface ?? ANY, rule.member ?? ANY]
    const paths = this.#senders.get(sender)!
    const interfaces = paths.get(path)!
    const members = interfaces.get(name)!
    const leaf = members.get(member)!
    const argument = textArgument(rule)
    if (argument !== undefined) {
      const texts = leaf.byArgument!.get(argument.index)!
      texts.delete(argument.value)
      if (texts.size === 0) leaf.byArgument!.delete(argument.index)
      if (leaf.byArgument!.size === 0) leaf.byArgument = undefined
    }
    if (leaf.plain.size > 0 || leaf.byArgument !== undefined) return
    members.delete(member)
    if (members.size === 0) interfaces.delete(name)
    if (interfaces.size === 0) paths.delete(path)
    if (paths.size === 0) this.#senders.delete(sender)
  }
}

function pathKey(rule: MatchRule): string {
  if (rule.pathNamespace !== undefined) return rule.pathNamespace + NAMESPACE_MARK
  return rule.path ?? ANY
}

/** The first argument that has to be a text. */
function textArgument({ args }: MatchRule): ArgumentMatch | undefined {
  for (const argument of args) if (argument.kind === 'string') return argument
  return undefined
}

function newLevel<T>(): Level<T> {
  return new Level<T>()
}

function newLeaf<Owner>(): Leaf<Owner> {
  return { plain: new Level(), byArgument: undefined }
}

function descend<V>(level: Level<V>, key: string, make: boolean, fresh: () => V): V | undefined {
  const found = level.get(key)
  if (found !== undefined || !make) return found
  const made = fresh()
  level.set(key, made)
  return made
}

function atLeaf<Owner extends RuleOwner>(
  leaf: Leaf<Owner> | undefined,
  message: Matchable,
  mark: number,
  into: Owner[],
): void {
  if (leaf === undefined) return
  takeMatching(leaf.plain, message, mark, into)
  if (leaf.byArgument === undefined) return
  for (const [index, texts] of leaf.byArgument) {
    const argument = message.argument(index)
    const entries = argument && texts.get(argument.text)
    if (entries) takeMatching(entries, message, mark, into)
  }
}

function takeMatching<Owner extends RuleOwner>(
  entries: Entries<Owner>,
  message: Matchable,
  mark: number,
  into: Owner[],
): void {
  entries.each(({ rule, owners }) => {
    if (rule.destination === undefined && matchesRest(rule, message)) take(owners, mark, into)
  })
}

function take<Owner extends RuleOwner>(owners: Owner[], mark: number, into: Owner[]): void {
  for (const owner of owners) {
    if (owner.mark === mark) continue
    owner.mark = mark
    into.push(owner)
  }
}
