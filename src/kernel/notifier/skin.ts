/** What a skin (raw, atomic, blocking, srcu) adds to the list: its rule of waiting. */
import type { Answer, CallCounter, ChainCall } from './block.ts'

/** What is held while a walk waits for a block's promise. */
export interface ReadSide<Token> {
  enter(): Token
  leave(token: Token): void
}

/** What a skin adds to the list. */
export interface ChainRules {
  /** With it, blocks may return promises. */
  readonly readSide?: ReadSide<unknown>
  /** Whether `refuseInside` is asked. */
  readonly isTracked?: boolean
  /** Takes the function that calls the chain, now and whenever another does it faster. */
  readonly install?: (call: ChainCall<unknown, unknown, number>) => void
  /** A call that is not the plain one of a chain that is settled; `enter` or `walk` unless given. */
  readonly call?: (
    event: unknown,
    data: unknown,
    nrToCall: number,
    counter: CallCounter | undefined,
    isEntered: boolean,
  ) => Answer
}
