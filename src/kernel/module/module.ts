/**
 * A module that is loaded, or about to be, or about to go: its state and who refers to it.
 *
 * Kernel: struct module; kernel/module/main.c try_module_get(), module_put() (Linux 6.12).
 */
import type { ModuleDefinition, Undo } from './definition.ts'

/** enum module_state: also the events of module_notify_list. */
export const MODULE_STATE_LIVE = 0
export const MODULE_STATE_COMING = 1
export const MODULE_STATE_GOING = 2
export const MODULE_STATE_UNFORMED = 3
export type ModuleState =
  | typeof MODULE_STATE_LIVE
  | typeof MODULE_STATE_COMING
  | typeof MODULE_STATE_GOING
  | typeof MODULE_STATE_UNFORMED

/** What holds a module: a socket, a dump, a family, another module. */
export interface ModuleOwner {
  /** try_module_get(): takes a reference. @returns false when the module is going. */
  tryGet(): boolean
  /** module_put(): gives one back. */
  put(): void
}

/** A loaded module (struct module). */
export class KernelModule implements ModuleOwner {
  readonly name: string
  readonly definition: ModuleDefinition
  state: ModuleState = MODULE_STATE_UNFORMED
  /** What it exports, by name. */
  exports: Readonly<Record<string, unknown>> = {}
  /** Whom it uses (target_list), and who uses it (source_list), in order of loading. */
  readonly uses = new Set<KernelModule>()
  readonly holders = new Set<KernelModule>()
  /** Notifier chains that its code has made. */
  readonly chains = new Set<object>()
  /** Whether it may be unloaded: it has an exit, or nothing to undo. */
  hasExit = true
  /** What to run when it goes, the last first. */
  readonly deferred: Undo[] = []
  readonly #owned = new Set<() => boolean>()
  #references = 0

  constructor(definition: ModuleDefinition) {
    this.name = definition.name
    this.definition = definition
  }
  /** module_refcount(): modules that use it, its open sockets and running dumps. */
  get refcount(): number {
    return this.#references
  }
  tryGet(): boolean {
    if (this.state === MODULE_STATE_GOING || this.state === MODULE_STATE_UNFORMED) return false
    this.#references++
    return true
  }
  put(): void {
    if (this.#references > 0) this.#references--
  }
  /** ref_module(): this module uses `other`. @returns false when `other` is going. */
  use(other: KernelModule): boolean {
    if (this.uses.has(other)) return true
    if (!other.tryGet()) return false
    this.uses.add(other)
    other.holders.add(this)
    return true
  }
  /** module_unload_free(): it uses nobody any more. */
  releaseUses(): void {
    for (const other of this.uses) {
      other.holders.delete(this)
      other.put()
    }
    this.uses.clear()
  }
  /**
   * Something was registered in the module's `init`: `take` takes it back, and tells whether it
   * was still there. So a module leaves nothing behind, even if it forgets.
   */
  own(take: () => boolean): void {
    this.#owned.add(take)
  }
  /** Takes back what is still registered, the last first. @returns how much there was. */
  reclaim(): number {
    let count = 0
    for (const take of [...this.#owned].reverse()) if (take()) count++
    this.#owned.clear()
    return count
  }
}
