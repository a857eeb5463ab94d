/**
 * Kobjects: a tree of named objects that are counted, with ksets, in which they are alike.
 *
 * Kernel: lib/kobject.c (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import type { KobjectAction } from '../../families/uevent.ts'
import type { Net } from '../net-namespace.ts'
import type { UeventEnv } from './uevent-env.ts'

/** What kind of object it is (struct kobj_type). */
export interface Ktype {
  /** Nobody refers to it any more. */
  release?(kobj: Kobject): void
  /** The network namespace that it belongs to: it alone hears of it. */
  namespace?(kobj: Kobject): Net | undefined
  /** Objects directly below it have names of their own in each namespace (child_ns_type). */
  readonly hasNamespaces?: boolean
}
/** What a kset says of its members' uevents (struct kset_uevent_ops). */
export interface KsetUeventOps {
  /** False: nothing is told. */
  filter?(kobj: Kobject): boolean
  /** SUBSYSTEM; undefined: nothing is told. The kset's name where there is no such function. */
  name?(kobj: Kobject): string | undefined
  /** Adds variables. @throws NetlinkError: that is the answer, and nothing is told. */
  uevent?(kobj: Kobject, env: UeventEnv): void
}
/** Where an object stands. */
export interface KobjectInit {
  readonly parent?: Kobject | undefined
  /** Its parent is the kset where none is given. */
  readonly kset?: Kset | undefined
  readonly ktype?: Ktype | undefined
}
/** What the tree does for its objects. */
export interface KobjectTree {
  readonly top: Map<string, Kobject>
  send(kobj: Kobject, action: KobjectAction, env: readonly string[]): void
  synth(kobj: Kobject, text: string): void
  warn(text: string): void
}

/** A named object in the tree (struct kobject). Made by `kernel.kobject`. */
export class Kobject {
  readonly kset: Kset | undefined
  readonly ktype: Ktype | undefined
  parent: Kobject | undefined
  /** Nothing is told of it. */
  ueventSuppress = false
  /** Whether `add` was told, and `remove`: `remove` is made up for when it goes. */
  isAddSent = false
  isRemoveSent = false
  readonly #tree: KobjectTree
  readonly #children = new Map<string, Kobject>()
  #name: string
  #references = 1
  /** Where it is in its parent. */
  #key: string | undefined

  constructor(tree: KobjectTree, name: string, { parent, kset, ktype }: KobjectInit) {
    this.#tree = tree
    this.#name = name.replaceAll('/', '!')
    this.parent = parent ?? kset
    this.kset = kset
    this.ktype = ktype
  }
  get name(): string {
    return this.#name
  }
  /** Whether it is in the tree. */
  get isAdded(): boolean {
    return this.#key !== undefined
  }
  get refcount(): number {
    return this.#references
  }
  /** The namespace that it belongs to, if it does. */
  get net(): Net | undefined {
    return this.ktype?.namespace?.(this)
  }
  /** kobject_get_path(): from the root, such as `/module/door`; undefined for a nameless one. */
  get path(): string | undefined {
    let path = ''
    for (let kobj: Kobject | undefined = this; kobj; kobj = kobj.parent) {
      if (kobj.name === '') return undefined
      path = `/${kobj.name}${path}`
    }
    return path
  }
  children(): Kobject[] {
    return [...this.#children.values()]
  }
  /** The child of that name, in a namespace or in none. */
  child(name: string, net?: Net): Kobject | undefined {
    return this.#children.get(keyOf(name, net)) ?? this.#children.get(keyOf(name))
  }
  /**
   * kobject_add(): takes its place in the tree, and in its kset. Tells nothing: see `uevent`.
   * @throws NetlinkError EINVAL without a name or when it is there already, EEXIST for a name that
   * is taken.
   */
  add(): this {
    if (this.#name === '') {
      throw this.#refuse('EINVAL', 'kobject: attempted to be registered with empty name!')
    }
    if (this.isAdded) throw this.#refuse('EINVAL', `kobject '${this.#name}' is in the tree already`)
    this.#link()
    this.parent?.get()
    this.kset?.members.add(this)
    return this
  }
  /** kobject_del(): leaves the tree; `remove` is told if `add` was. Harmless when repeated. */
  del(): void {
    if (this.#leave()) this.parent?.put()
  }
  /** kobject_get(). */
  get(): this {
    if (this.#references > 0) this.#references++
    return this
  }
  /** kobject_put(): the last one out takes it from the tree, and its ktype lets go of it. */
  put(): void {
    if (this.#references === 0 || --this.#references > 0) return
    const hadParent = this.#leave()
    try {
      this.ktype?.release?.(this)
    } catch (error) {
      this.#tree.warn(`kobject: '${this.#name}': its release failed: ${error}`)
    }
    if (hadParent) this.parent?.put()
  }
  /**
   * kobject_rename(): another name, told as `move` with DEVPATH_OLD.
   * @throws NetlinkError EINVAL when it is not in the tree, EEXIST when the name is taken.
   */
  rename(name: string): void {
    this.#shift(() => {
      this.#name = name.replaceAll('/', '!')
    })
  }
  /** kobject_move(): another parent, told as `move`. @throws NetlinkError as `rename`. */
  move(parent: Kobject | undefined): void {
    this.#shift(() => {
      this.parent?.put()
      this.parent = parent?.get()
    })
  }
  /** It has come into another namespace, perhaps under another name; nothing is told of it. */
  changeNamespace(name: string): void {
    this.#unlink()
    this.#name = name
    this.#link()
  }
  /**
   * kobject_uevent_env(): tells of it, with `env` between SUBSYSTEM and what its kset adds.
   * @throws NetlinkError EINVAL when neither it nor an ancestor is in a kset, ENOENT without a
   * path, ENOMEM when the environment is too large, or what the kset says.
   */
  uevent(action: KobjectAction, env: readonly string[] = []): void {
    this.#tree.send(this, action, env)
  }
  /**
   * kobject_synth_uevent(): what user space writes into its `uevent` file,
   * `ACTION [UUID [KEY=VALUE …]]`.
   * @throws NetlinkError EINVAL for another grammar, or as `uevent`.
   */
  synthUevent(text: string): void {
    this.#tree.synth(this, text)
  }

  /** @returns false when it was not in the tree. */
  #leave(): boolean {
    if (!this.isAdded) return false
    if (this.isAddSent && !this.isRemoveSent) this.#tell('remove')
    this.#unlink()
    this.kset?.members.delete(this)
    return true
  }
  #siblings(): Map<string, Kobject> {
    return this.parent ? this.parent.#children : this.#tree.top
  }
  #link(): void {
    const key = keyOf(this.#name, this.parent?.ktype?.hasNamespaces ? this.net : undefined)
    const siblings = this.#siblings()
    if (siblings.has(key)) {
      const why = `kobject_add_internal failed for ${this.#name} with -EEXIST, don't try to register things with the same name in the same directory.`
      throw this.#refuse('EEXIST', why)
    }
    siblings.set(key, this)
    this.#key = key
  }
  #unlink(): void {
    if (this.#key !== undefined) this.#siblings().delete(this.#key)
    this.#key = undefined
  }
  #shift(change: () => void): void {
    const { path, parent } = this
    const name = this.#name
    if (!this.isAdded) throw this.#refuse('EINVAL', `kobject '${name}' is not in the tree`)
    this.#unlink()
    parent?.get()
    change()
    try {
      this.#link()
    } catch (error) {
      this.#name = name
      this.parent?.put()
      this.parent = parent
      this.#link()
      throw error
    }
    parent?.put()
    this.#tell('move', [`DEVPATH_OLD=${path}`])
  }
  /** kobject_uevent() where nobody looks at what it returns. */
  #tell(action: KobjectAction, env: readonly string[] = []): void {
    try {
      this.uevent(action, env)
    } catch {}
  }
  #refuse(code: string, message: string): NetlinkError {
    this.#tree.warn(message)
    return new NetlinkError(code, { message })
  }
}

/** Objects that are alike, and an object itself (struct kset). */
export class Kset extends Kobject {
  readonly ops: KsetUeventOps
  readonly members = new Set<Kobject>()

  constructor(tree: KobjectTree, name: string, init: KobjectInit, ops: KsetUeventOps) {
    super(tree, name, init)
    this.ops = ops
  }
}

/** Names are told apart within a namespace. */
function keyOf(name: string, net?: Net): string {
  return net ? `${name}/${net.cookie}` : name
}
