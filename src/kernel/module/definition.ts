/**
 * What a module is: a value that says its name, what it takes and gives, and what it does.
 *
 *   export const notify = defineModule({
 *     name: 'notify',
 *     license: 'GPL',
 *     imports: { test_notifier_call_chain: extern<(event: number, data: unknown) => number>() },
 *     init(kernel, { imports }) {
 *       kernel.printk('Begin to notify:\n')
 *       imports.test_notifier_call_chain(1, null)
 *       return () => kernel.printk('End notify\n')
 *     },
 *   })
 *
 * A module's state belongs into `init` and `exports`, not beside them: two kernels may have it.
 * Kernel: include/linux/module.h, include/linux/export.h.
 */
import type { Kernel } from '../kernel.ts'
import type { KernelModule } from './module.ts'
import type { ParamType, ParamValues } from './parameters.ts'

/** A symbol that some other module exports. */
export interface Extern<T> {
  readonly kind: 'extern'
  /** Never there: it keeps the type. */
  readonly type?: T
}
/** Declares a symbol that is wanted, as C's `extern` does: its name is the key it stands under. */
export function extern<T>(): Extern<T> {
  return { kind: 'extern' }
}

export type Externs = Readonly<Record<string, Extern<unknown>>>
export type Exports = Readonly<Record<string, unknown>>
export type ParamTypes = Readonly<Record<string, ParamType<unknown>>>
/** The symbols of `I`, found. */
export type Imported<I> = {
  readonly [K in keyof I]: I[K] extends Extern<infer T> ? T : never
}
/** What a module gives to others: `extern<ExportsOf<typeof buildchain>['register_…']>()`. */
export type ExportsOf<M> =
  M extends ModuleDefinition<infer _P, infer _I, infer E, infer _R> ? E : never

/** Undoes something. A promise holds up the unloading. */
export type Undo = () => unknown
/** Makes what a module exports, once for each kernel that loads it. */
type ExportMaker<P, I, E> = {
  make(kernel: Kernel, ctx: ModuleContext<P, I, Exports>): E
}['make']

/** What a module's functions get beside the kernel. */
export interface ModuleContext<P = ParamTypes, I = Externs, E = Exports> {
  /** THIS_MODULE: counts references; sockets and families made in `init` have it by themselves. */
  readonly module: KernelModule
  readonly params: ParamValues<P>
  readonly imports: Imported<I>
  /** What it exports itself. */
  readonly exports: E
  /** Runs `undo` when the module goes, behind its exit and last in first out; also when `init` fails. */
  defer(undo: Undo): void
}

/** A module (struct module, and what modinfo shows). */
export interface ModuleDefinition<
  P extends ParamTypes = ParamTypes,
  I extends Externs = Externs,
  E extends Exports = Exports,
  R = unknown,
> {
  /** 1 to 55 letters, digits, `_` and `-`; the last two are the same. */
  readonly name: string
  /** MODULE_LICENSE: only one that goes with the GPL gets at symbols that are exported to such. */
  readonly license: string
  readonly version?: string
  readonly description?: string
  readonly author?: string
  /** Modules to load first, for those who load by name: symbols alone decide whether it loads. */
  readonly depends?: readonly string[]
  /** module_param(): made with `param`. */
  readonly params?: P
  /** Symbols of other modules; each owner is held as long as this one is loaded. */
  readonly imports?: I
  /** EXPORT_SYMBOL: the symbols by name, or what makes them for one kernel. */
  readonly exports?: E | ExportMaker<P, I, E>
  /** EXPORT_SYMBOL_GPL: names among `exports` that only GPL-compatible modules find. */
  readonly gplOnly?: readonly (keyof E & string)[]
  /**
   * module_init(): what it throws is the answer of insmod, and nothing of the module is left.
   * @returns what undoes it (module_exit); or, as in C, 0 or a negative errno. A promise of either
   * makes insmod return a promise. With neither an undo nor `exit` it cannot be unloaded.
   */
  init?(kernel: Kernel, ctx: ModuleContext<P, I, E>): R
  /** module_exit(), where `init` returns nothing. */
  exit?(kernel: Kernel, ctx: ModuleContext<P, I, E>): unknown
}

const brand = Symbol.for('nlkit.module')

/** Marks a definition as a module, so that it is found in a file, and infers its types. */
export function defineModule<
  const P extends ParamTypes = Record<never, never>,
  const I extends Externs = Record<never, never>,
  E extends Exports = Record<never, never>,
  R = undefined,
>(definition: ModuleDefinition<P, I, E, R>): ModuleDefinition<P, I, E, R> {
  return Object.defineProperty({ ...definition }, brand, { value: true })
}

/** Whether `value` was made with `defineModule`; also across copies of the package. */
export function isModuleDefinition(value: unknown): value is ModuleDefinition {
  return (
    typeof value === 'object' && value !== null && (value as { [brand]?: true })[brand] === true
  )
}

/** Licences that go with the GPL (license_is_gpl_compatible()). */
const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
])

export function isGplCompatible(license: string): boolean {
  return GPL_COMPATIBLE.has(license)
}

/** Names are compared with `-` as `_`. */
export function canonicalName(name: string): string {
  return name.replaceAll('-', '_')
}
