/**
 * insmod and rmmod.
 *
 * Symbols are found first, then the notifiers hear COMING, then parameters are read, then `init`
 * runs; a failure undoes all that came before it. Where Linux waits for a namesake, or for the
 * owner of a symbol, that is being loaded, the answer here is EBUSY at once.
 *
 * Kernel: kernel/module/main.c load_module(), do_init_module(), delete_module() (Linux 6.12).
 */
import { errnoName } from '../../errno.ts'
import { isNetlinkError, NetlinkError } from '../../errors.ts'
import { type Credentials, nsCapable } from '../credentials.ts'
import type { Kernel } from '../kernel.ts'
import {
  type ChainOwner,
  NOTIFY_STOP_MASK,
  RawNotifierChain,
  runAsOwner,
  throwNotifierErrno,
} from '../notifier/index.ts'
import { KERN_ERR, KERN_WARNING } from '../printk/log.ts'
import {
  canonicalName,
  type Exports,
  type Externs,
  isGplCompatible,
  type ModuleContext,
  type ModuleDefinition,
  type ParamTypes,
} from './definition.ts'
import {
  KernelModule,
  MODULE_STATE_COMING,
  MODULE_STATE_GOING,
  MODULE_STATE_LIVE,
  type ModuleState,
} from './module.ts'
import { type ParamInput, parseParams } from './parameters.ts'
import { resolveImports, verifyExports } from './symbols.ts'
import { after, type Ending, runInOrder } from './undo.ts'

/** Who asks, where that is to be checked. */
export interface ModuleRequest {
  /** Absent: the kernel itself. */
  readonly credentials?: Credentials
}
/** How a module is unloaded. */
export interface RmmodOptions extends ModuleRequest {
  /** Although it has no exit. */
  readonly force?: boolean
}

/** The module, or a promise of it where `init` returns a promise. */
export type Loaded<R> = R extends Promise<unknown> ? Promise<KernelModule> : KernelModule

/** All modules of one kernel. */
export class Modules {
  readonly kernel: Kernel
  /** module_notify_list: COMING, which a block may refuse, LIVE and GOING. */
  readonly notifier = new RawNotifierChain<ModuleState, KernelModule>('module_notify_list')
  /** What request_module() runs (modprobe): it loads what goes by that name, or does nothing. */
  helper: ((name: string) => void) | undefined
  readonly #modules = new Map<string, KernelModule>()
  #current: KernelModule | undefined
  #isTainted = false
  #isClosed = false
  #isRequesting = false

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }
  /** The module whose `init` runs in this very call: what is registered meanwhile is its own. */
  get current(): KernelModule | undefined {
    return this.#current
  }
  /** The module of that name; `-` and `_` are the same. */
  find(name: string): KernelModule | undefined {
    return this.#modules.get(canonicalName(name))
  }
  /** All modules, the newest first, as /proc/modules has them. */
  list(): KernelModule[] {
    return [...this.#modules.values()].reverse()
  }

  /**
   * init_module(): loads a module. `params` is insmod's line, or values by name.
   * @throws NetlinkError EPERM; ENOEXEC for what is no module, or exports what another one does;
   * EEXIST, or EBUSY while its namesake is loaded or unloaded; ENOENT for an unknown symbol; EINVAL,
   * ERANGE or ENOSPC for a parameter; what a notifier block or `init` says. Nothing is left then.
   */
  insmod<R>(
    definition: ModuleDefinition<ParamTypes, Externs, Exports, R>,
    params: ParamInput = '',
    { credentials }: ModuleRequest = {},
  ): Loaded<R> {
    if (this.#isClosed) throw fail('NETLINK_CLOSED', 'the kernel is closed')
    this.#checkPermission(credentials)
    checkDefinition(definition)
    const module = this.#reserve(definition)
    let isComing = false
    try {
      const ctx = this.#link(module)
      this.#announce(module)
      isComing = true
      const { name, params: types = {} } = definition
      const values = parseParams(name, types, params, (text) => this.#log(KERN_WARNING, text))
      const whole: ModuleContext = { ...ctx, params: values }
      const result: unknown = this.#as(module, () => definition.init?.(this.kernel, whole))
      if (result instanceof Promise) return this.#finishLater(module, whole, result) as Loaded<R>
      this.#finish(module, whole, result)
      return module as Loaded<R>
    } catch (error) {
      void this.#fail(module, isComing)
      throw this.#refusal(module, error)
    }
  }
  /**
   * delete_module(): unloads a module.
   * @returns a promise where its exit returned one; it does not reject.
   * @throws NetlinkError EPERM; ENOENT; EWOULDBLOCK when it is in use; EBUSY while it is loaded or
   * unloaded, and when it has no exit.
   */
  rmmod(name: string, { credentials, force = false }: RmmodOptions = {}): Ending {
    this.#checkPermission(credentials)
    const module = this.find(name)
    if (!module) throw fail('ENOENT', `Module ${name} is not currently loaded`)
    if (module.holders.size > 0) {
      const holders = [...module.holders].map((holder) => holder.name).join(' ')
      throw fail('EWOULDBLOCK', `Module ${module.name} is in use by: ${holders}`)
    }
    if (module.state !== MODULE_STATE_LIVE) {
      const doing = module.state === MODULE_STATE_GOING ? 'unloaded' : 'loaded'
      throw fail('EBUSY', `Module ${module.name} is being ${doing}`)
    }
    if (!module.hasExit && !force) throw fail('EBUSY', `Module ${module.name} has no exit`)
    if (module.refcount > 0) throw fail('EWOULDBLOCK', `Module ${module.name} is in use`)
    return this.#unload(module)
  }
  /**
   * request_module(): runs the helper. That it returns does not say that the module is there: look
   * again.
   * @throws NetlinkError ENOENT when there is no helper; what it throws.
   */
  request(name: string): void {
    if (!this.helper) throw fail('ENOENT', `there is no helper that would load ${name}`)
    this.helper(name)
  }
  /** request_module() where it is no matter whether it helps: what it throws is logged. */
  tryRequest(name: string): void {
    if (!this.helper || this.#isRequesting) return
    this.#isRequesting = true
    try {
      this.helper(name)
    } catch (error) {
      this.#log(KERN_ERR, `request_module ${name} failed: ${story(error)}`)
    } finally {
      this.#isRequesting = false
    }
  }
  /** Unloads all, the newest first, whoever uses them. Harmless when repeated. */
  close(): Ending {
    this.#isClosed = true
    const live = this.list().filter(({ state }) => state === MODULE_STATE_LIVE)
    return runInOrder(
      live.map((module) => () => this.#unload(module)),
      () => {},
    )
  }

  #checkPermission(credentials: Credentials | undefined): void {
    if (credentials && !nsCapable(credentials, this.kernel.initUserNs, 'CAP_SYS_MODULE')) {
      throw new NetlinkError('EPERM')
    }
  }
  /** add_unformed_module(): takes the name. */
  #reserve(definition: ModuleDefinition): KernelModule {
    const { name, license } = definition
    const old = this.find(name)
    if (old?.state === MODULE_STATE_LIVE) throw fail('EEXIST', `Module ${name} is already loaded`)
    if (old) throw fail('EBUSY', `Module ${name} is being loaded or unloaded`)
    if (!isGplCompatible(license) && !this.#isTainted) {
      this.#isTainted = true
      this.#log(KERN_WARNING, `${name}: module license '${license}' taints kernel.`)
    }
    const module = new KernelModule(definition)
    this.#modules.set(canonicalName(name), module)
    return module
  }
  /** simplify_symbols(), complete_formation(): what it imports and exports. */
  #link(module: KernelModule): ModuleContext {
    const warn = (text: string): void => this.#log(KERN_WARNING, text)
    const { exports = {} } = module.definition
    const ctx = {
      module,
      params: {},
      imports: resolveImports(module, this.list(), warn) as Record<string, never>,
      exports: {},
      defer: (undo: () => unknown): void => {
        module.deferred.push(undo)
      },
    }
    module.exports =
      typeof exports === 'function' ? this.#as(module, () => exports(this.kernel, ctx)) : exports
    verifyExports(module, this.list(), warn)
    return { ...ctx, exports: module.exports }
  }
  /** prepare_coming_module(): each block may refuse, and those before it hear GOING then. */
  #announce(module: KernelModule): void {
    module.state = MODULE_STATE_COMING
    throwNotifierErrno(this.notifier.callRobust(MODULE_STATE_COMING, MODULE_STATE_GOING, module))
  }
  /** do_init_module(), behind `init`. */
  #finish(module: KernelModule, ctx: ModuleContext, result: unknown): void {
    const { definition, deferred, name } = module
    if (typeof result === 'number' && result < 0) throw new NetlinkError(errnoName(result))
    if (typeof result === 'number' && result > 0) {
      const text = `do_init_module: '${name}'->init suspiciously returned ${result}, it should follow 0/-E convention`
      this.#log(KERN_WARNING, text)
    }
    if (typeof result === 'function') deferred.push(result as () => unknown)
    if (definition.exit) deferred.push(() => definition.exit?.(this.kernel, ctx))
    module.hasExit = definition.init === undefined || deferred.length > 0
    if (this.#isClosed) throw fail('NETLINK_CLOSED', 'the kernel was closed meanwhile')
    module.state = MODULE_STATE_LIVE
    this.#notify(MODULE_STATE_LIVE, module)
  }
  async #finishLater(
    module: KernelModule,
    ctx: ModuleContext,
    pending: Promise<unknown>,
  ): Promise<KernelModule> {
    try {
      this.#finish(module, ctx, await pending)
      return module
    } catch (error) {
      await this.#fail(module, true)
      throw this.#refusal(module, error)
    }
  }
  /** What was done for it is undone. */
  #fail(module: KernelModule, isComing: boolean): Ending {
    module.state = MODULE_STATE_GOING
    if (isComing) this.#notify(MODULE_STATE_GOING, module)
    return after(this.#undo(module), () => {
      module.reclaim()
      this.#free(module)
    })
  }
  #unload(module: KernelModule): Ending {
    module.state = MODULE_STATE_GOING
    return after(this.#undo(module), () => {
      const left = module.reclaim()
      if (left > 0) {
        this.#log(KERN_WARNING, `${module.name}: its exit left ${left} registrations behind`)
      }
      this.#notify(MODULE_STATE_GOING, module)
      this.#free(module)
    })
  }
  #undo(module: KernelModule): Ending {
    return runInOrder(module.deferred.splice(0).reverse(), (error) => {
      this.#log(KERN_ERR, `${module.name}: its exit failed: ${story(error)}`)
    })
  }
  #free(module: KernelModule): void {
    module.releaseUses()
    this.#modules.delete(canonicalName(module.name))
  }
  /** Runs `run` as the module's own code. */
  #as<T>(module: KernelModule, run: () => T): T {
    const outer = this.#current
    this.#current = module
    try {
      return runAsOwner(this.#ownerOf(module), run)
    } finally {
      this.#current = outer
    }
  }
  /** Its chains, and what its blocks on any chain throw. */
  #ownerOf({ name, chains }: KernelModule): ChainOwner {
    return {
      made: (chain) => void chains.add(chain),
      failed: (chain, block, error) =>
        this.#log(KERN_ERR, `${name}: ${block} on ${chain} failed: ${error}`),
    }
  }
  /** LIVE and GOING: nobody may refuse, and one that throws keeps the others from nothing else. */
  #notify(state: ModuleState, module: KernelModule): void {
    for (const block of this.notifier.blocks()) {
      try {
        if (!this.notifier.blocks().includes(block)) continue
        if (block.call(state, module) & NOTIFY_STOP_MASK) return
      } catch (error) {
        const { name } = this.notifier
        this.#log(KERN_ERR, `${name}: ${block.name ?? 'a block'} failed: ${story(error)}`)
      }
    }
  }
  /** What insmod throws; what is no refusal is logged with the module's name. */
  #refusal(module: KernelModule, error: unknown): NetlinkError {
    if (isNetlinkError(error)) return error
    this.#log(KERN_ERR, `${module.name}: init failed: ${story(error)}`)
    const words = error instanceof Error ? error.message : String(error)
    const message = `${module.name}: init failed: ${words}`
    return new NetlinkError('EIO', { message, cause: error })
  }
  #log(level: typeof KERN_ERR | typeof KERN_WARNING, text: string): void {
    this.kernel.printk(level, `${text}\n`)
  }
}

function fail(code: string, message: string): NetlinkError {
  return new NetlinkError(code, { message })
}

function story(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : String(error)
}

/** What an ELF header would be looked at for. @throws NetlinkError ENOEXEC */
function checkDefinition(definition: ModuleDefinition): void {
  const { name, license, init, exit } = definition ?? {}
  const isName = typeof name === 'string' && /^[\w-]{1,55}$/.test(name)
  if (!isName) throw fail('ENOEXEC', 'no module: its name has 1 to 55 letters, digits, _ and -')
  if (typeof license !== 'string') throw fail('ENOEXEC', `${name}: a module says its license`)
  for (const run of [init, exit]) {
    if (run !== undefined && typeof run !== 'function') {
      throw fail('ENOEXEC', `${name}: init and exit are functions`)
    }
  }
}
