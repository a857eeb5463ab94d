/**
 * Whether a function is on the stack: asked when a chain is to change, so that calling it need not
 * write down that it runs.
 */

/** What the engine offers beyond the standard; all of it may be missing. */
interface StackTraces {
  stackTraceLimit?: number | undefined
  prepareStackTrace?:
    | ((error: Error, sites: readonly { getFunctionName(): string | null }[]) => unknown)
    | undefined
}

/** Whether a function of that name, which no other has, is on the stack `times` times, however deep. */
export function isOnStack(name: string, times = 1): boolean {
  const traces = Error as unknown as StackTraces
  const { stackTraceLimit, prepareStackTrace } = traces
  let stack: unknown
  try {
    traces.stackTraceLimit = Number.POSITIVE_INFINITY
    traces.prepareStackTrace = (_, sites) =>
      sites.filter((site) => site.getFunctionName() === name).length >= times
    stack = new Error(name).stack
  } finally {
    traces.stackTraceLimit = stackTraceLimit
    traces.prepareStackTrace = prepareStackTrace
  }
  if (typeof stack !== 'string') return stack === true
  // an engine that knows no call sites; the first line may be the message
  return stack.replace(`Error: ${name}`, '').split(name).length > times
}

/** Deeper than engines look unless told. */
const DEPTH = 300
const PROBE = 'notifierStackProbe'
let sees: boolean | undefined

/** Whether this engine lets us look: tried once, with a deep stack. */
export function seesStack(): boolean {
  sees ??= look()
  return sees
}

function look(): boolean {
  const descend = (depth: number): boolean =>
    depth === 0 ? isOnStack(PROBE) : descend(depth - 1) || false
  try {
    const probe = new Function(
      'descend',
      'depth',
      `return function ${PROBE}() { return descend(depth) }`,
    )
    return probe(descend, DEPTH)() && !isOnStack(PROBE)
  } catch {
    return false
  }
}
