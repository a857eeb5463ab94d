/** What `proc watch` and `uevent watch` have in common: events until they have been enough. */
import type { DatagramEvents, LossEvent } from '../index.ts'
import type { Call } from './command.ts'
import { EXIT } from './exit.ts'

interface Showing<T> {
  /** What is watched, in words. */
  readonly subject: string
  /** An event as text. */
  line(event: T): string
}

/** Signals that end it without a Ctrl-C: what was begun in the kernel is ended there. */
const SIGNALS = ['SIGTERM', 'SIGHUP'] as const

/** Prints events until `--count` of them were, `--duration` is over, or somebody ends it. */
export async function watchAll<T extends { readonly type: string }>(
  call: Call,
  events: DatagramEvents<T>,
  showing: Showing<T>,
): Promise<number> {
  const { count = -1, duration } = call.given as { count?: number; duration?: number }
  const isBounded = count >= 0 || duration !== undefined
  let ended: NodeJS.Signals | undefined
  const end = (signal?: NodeJS.Signals): void => {
    ended ??= signal
    events.close()
  }
  const interrupted = (): void => end()
  call.signal.addEventListener('abort', interrupted, { once: true })
  for (const signal of SIGNALS) process.once(signal, end)
  process.once('exit', interrupted)
  let timer: NodeJS.Timeout | undefined
  try {
    await events.ready
    if (duration !== undefined) timer = setTimeout(interrupted, duration)
    if (!call.options.quiet) call.err.line(`watching ${showing.subject}; Ctrl-C ends it`)
    const isLost = count === 0 ? false : await print(call, events, showing, count)
    if (ended || call.signal.aborted) return EXIT.interrupted
    return isLost && isBounded ? EXIT.lost : EXIT.ok
  } catch (error) {
    if (ended) return EXIT.interrupted
    throw error
  } finally {
    clearTimeout(timer)
    events.close()
    process.off('exit', interrupted)
    for (const signal of SIGNALS) process.off(signal, end)
    call.signal.removeEventListener('abort', interrupted)
  }
}

/** Whether any were lost. */
async function print<T extends { readonly type: string }>(
  call: Call,
  events: AsyncIterable<T | LossEvent>,
  { line }: Showing<T>,
  count: number,
): Promise<boolean> {
  let isLost = false
  let left = count
  for await (const event of events) {
    const isLoss = event.type === 'overrun'
    isLost ||= isLoss
    if (call.options.json) call.out.json(event)
    else if (isLoss) call.out.line('overrun   some events were lost')
    else call.out.lines(line(event as T).split('\n'))
    if (--left === 0) break
  }
  return isLost
}
