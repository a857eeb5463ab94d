/** What a block answers, taken as a number; what it does wrong, refused or handed to `onThrow`. */
import { NetlinkError } from '../../errors.ts'
import { type AnyBlock, blockName, type OnThrow } from './block.ts'
import { NOTIFY_DONE } from './constants.ts'
import type { Target } from './owner.ts'

/** A refusal of chain `chain` that names the block. */
export function refusal(chain: string, code: string, block: AnyBlock, why: string): NetlinkError {
  return new NetlinkError(code, {
    message: `${chain}: notifier callback ${blockName(block)} ${why}`,
  })
}

/**
 * The number that `block` answered, NOTIFY_DONE for nothing.
 * @throws NetlinkError EINVAL for anything else, a promise among it.
 */
export function settle(chain: string, given: unknown, block: AnyBlock): number {
  if (typeof given === 'number') return given
  if (given === undefined) return NOTIFY_DONE
  const what = isThenable(given)
    ? 'returned a promise: blocks of this chain may not wait'
    : `answered ${typeof given === 'object' ? 'an object' : String(given)}, no number`
  throw refusal(chain, 'EINVAL', block, what)
}

/** Hands what a block does wrong to `onThrow`, whose result stands for its answer. */
export function guardTarget(
  chain: string,
  block: AnyBlock,
  target: Target,
  onThrow: OnThrow,
  mayWait: boolean,
): Target {
  const settled = (given: unknown) => settle(chain, given, block)
  const rejected = (error: unknown) => onThrow(error, block)
  return {
    call(event, data) {
      try {
        const given = target.call(event, data)
        if (!isThenable(given)) return settled(given)
        if (mayWait) return Promise.resolve(given).then(settled).catch(rejected)
        given.then(undefined, () => {})
        return settled(given)
      } catch (error) {
        return rejected(error)
      }
    },
  }
}

export function isThenable(given: unknown): given is PromiseLike<unknown> {
  return typeof given === 'object' && given !== null && 'then' in given
}
