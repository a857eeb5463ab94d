/** Whose code runs: the chains that a module makes, and its blocks, are known by the module. */
import { isNetlinkError } from '../../errors.ts'
import { type AnyBlock, blockName } from './block.ts'

/** A module, as chains see it. */
export interface ChainOwner {
  /** Takes a chain that its code has made. */
  made(chain: object): void
  /** A block that its code has registered threw, or rejected with, what is no refusal. */
  failed(chain: string, block: string, error: unknown): void
}

/** What a walk calls. */
export interface Target {
  call(event: unknown, data: unknown): unknown
}

let current: ChainOwner | undefined

/** Runs code of `owner`, as far as it does not wait. */
export function runAsOwner<T>(owner: ChainOwner, run: () => T): T {
  const outer = current
  current = owner
  try {
    return run()
  } finally {
    current = outer
  }
}

/** A chain is made. */
export function claimChain(chain: object): void {
  current?.made(chain)
}

/** What is called for a block that is registered on `chain`: its owner hears of what it throws. */
export function targetOf(chain: string, block: AnyBlock): Target {
  const target = block as Target
  const owner = current
  if (!owner) return target
  const failed = (error: unknown): void => {
    if (!isNetlinkError(error)) owner.failed(chain, blockName(block), error)
  }
  return {
    call(event, data) {
      try {
        const given = target.call(event, data)
        if (given instanceof Promise) given.catch(failed)
        return given
      } catch (error) {
        failed(error)
        throw error
      }
    },
  }
}
