/**
 * Symbols: what a module wants is found in others, which are then in use; what it gives is its own.
 *
 * Kernel: kernel/module/main.c simplify_symbols(), resolve_symbol(), verify_exported_symbols()
 * (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { EBUSY, ENOENT } from '../errno.ts'
import { isGplCompatible } from './definition.ts'
import { type KernelModule, MODULE_STATE_COMING, MODULE_STATE_LIVE } from './module.ts'

type Warn = (text: string) => void

/** find_symbol(): the module among `modules` that exports `symbol` to those who may have it. */
function findOwner(
  symbol: string,
  modules: readonly KernelModule[],
  isGpl: boolean,
): KernelModule | undefined {
  return modules.find(
    ({ exports, definition }) =>
      Object.hasOwn(exports, symbol) && (isGpl || !definition.gplOnly?.includes(symbol)),
  )
}

/**
 * Finds all that `module` imports; each owner is in use from then on.
 * @throws NetlinkError ENOENT for a symbol that nobody has, EBUSY when its owner is being loaded;
 * `warn` gets a line for each.
 */
export function resolveImports(
  module: KernelModule,
  modules: readonly KernelModule[],
  warn: Warn,
): Readonly<Record<string, unknown>> {
  const { name, definition } = module
  const others = modules.filter((other) => other !== module)
  const found: Record<string, unknown> = {}
  let refusal: NetlinkError | undefined
  for (const symbol of Object.keys(definition.imports ?? {})) {
    const owner = findOwner(symbol, others, isGplCompatible(definition.license))
    if (owner?.state === MODULE_STATE_LIVE && module.use(owner)) {
      found[symbol] = owner.exports[symbol]
      continue
    }
    const isComing = owner?.state === MODULE_STATE_COMING
    if (isComing) warn(`${name}: gave up waiting for init of module ${owner.name}.`)
    const message = `${name}: Unknown symbol ${symbol} (err -${isComing ? EBUSY : ENOENT})`
    warn(message)
    refusal ??= new NetlinkError(isComing ? 'EBUSY' : 'ENOENT', { message })
  }
  if (refusal) throw refusal
  return found
}

/** @throws NetlinkError ENOEXEC when another module exports one of its symbols. */
export function verifyExports(
  module: KernelModule,
  modules: readonly KernelModule[],
  warn: Warn,
): void {
  const others = modules.filter((other) => other !== module)
  for (const symbol of Object.keys(module.exports)) {
    const owner = findOwner(symbol, others, true)
    if (!owner) continue
    const message = `${module.name}: exports duplicate symbol ${symbol} (owned by ${owner.name})`
    warn(message)
    throw new NetlinkError('ENOEXEC', { message })
  }
}
