/**
 * Modules as C writes them: one source in which macros say what it is, what it gives and takes.
 *
 *   export const hello = kbuild('hello', ({ MODULE_LICENSE, module_init, module_exit, printk }) => {
 *     MODULE_LICENSE('GPL')
 *     module_init(() => { printk('Hello\n'); return 0 })
 *     module_exit(() => printk('Bye\n'))
 *   })
 *
 * Kernel: include/linux/module.h, include/linux/export.h.
 */
import type { Kernel } from '../kernel.ts'
import { defineModule, type ModuleDefinition, extern as wanted } from '../module/definition.ts'
import { type Compat, compat, pure } from './compat.ts'

/** Any function: what a symbol is, unless its user says more. */
type AnyFunction = (...args: never[]) => unknown

/** The macros of a module's source. */
export interface ModuleMacros {
  MODULE_LICENSE(license: string): void
  MODULE_AUTHOR(author: string): void
  MODULE_DESCRIPTION(text: string): void
  /** EXPORT_SYMBOL(): a function, under its own name. */
  EXPORT_SYMBOL(symbol: AnyFunction): void
  /** EXPORT_SYMBOL_GPL(): for modules with a licence that goes with the GPL. */
  EXPORT_SYMBOL_GPL(symbol: AnyFunction): void
  /** `extern`: a function that another module exports, to be called from `init` on. */
  extern<F extends AnyFunction>(name: string): F
  /** module_init(): 0, or a negative errno, which refuses. */
  module_init(init: () => number | Promise<number>): void
  module_exit(exit: () => void | Promise<void>): void
}

/** What one reading of a source found. */
interface Unit {
  license: string
  author?: string
  description?: string
  readonly exports: Record<string, AnyFunction>
  readonly gplOnly: string[]
  readonly imports: string[]
  init?: () => number | Promise<number>
  exit?: () => void | Promise<void>
}

type Source = (macros: ModuleMacros & Compat) => void

/** Reads a source: its top level runs, as a compiler reads it; `link` finds what it calls. */
function read(
  source: Source,
  names: object,
  link: (name: string) => AnyFunction | undefined,
): Unit {
  const unit: Unit = { license: '(unspecified)', exports: {}, gplOnly: [], imports: [] }
  const macros: ModuleMacros = {
    MODULE_LICENSE: (license) => {
      unit.license = license
    },
    MODULE_AUTHOR: (author) => {
      unit.author = author
    },
    MODULE_DESCRIPTION: (text) => {
      unit.description = text
    },
    EXPORT_SYMBOL: (symbol) => {
      unit.exports[symbol.name] = symbol
    },
    EXPORT_SYMBOL_GPL: (symbol) => {
      unit.exports[symbol.name] = symbol
      unit.gplOnly.push(symbol.name)
    },
    extern: <F extends AnyFunction>(name: string): F => {
      unit.imports.push(name)
      const call = (...args: never[]): unknown => {
        const found = link(name)
        if (!found) throw new Error(`${name} is called before the module is loaded`)
        return found(...args)
      }
      return call as F
    },
    module_init: (init) => {
      unit.init = init
    },
    module_exit: (exit) => {
      unit.exit = exit
    },
  }
  source({ ...names, ...macros } as ModuleMacros & Compat)
  return unit
}

/**
 * Makes a module of a source in the kernel's manner. The source is read once here, for what it
 * says of itself, and once for each kernel that loads it, so that each has variables of its own.
 * Names that need a kernel are there from `init` on.
 */
export function kbuild(name: string, source: Source): ModuleDefinition {
  const unit = read(source, pure, () => undefined)
  const units = new WeakMap<Kernel, Unit>()
  return defineModule({
    name,
    license: unit.license,
    ...(unit.author !== undefined && { author: unit.author }),
    ...(unit.description !== undefined && { description: unit.description }),
    imports: Object.fromEntries(unit.imports.map((symbol) => [symbol, wanted<AnyFunction>()])),
    exports(kernel: Kernel, { imports }: { imports: object }) {
      const linked = imports as Record<string, AnyFunction>
      const loaded = read(source, compat(kernel), (symbol) => linked[symbol])
      units.set(kernel, loaded)
      return loaded.exports
    },
    gplOnly: unit.gplOnly as never,
    init: (kernel: Kernel) => units.get(kernel)?.init?.() ?? 0,
    ...((unit.exit || !unit.init) && { exit: (kernel: Kernel) => units.get(kernel)?.exit?.() }),
  }) as unknown as ModuleDefinition
}
