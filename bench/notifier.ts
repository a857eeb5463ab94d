/**
 * What telling a notifier chain costs, beside EventEmitter, eventemitter3, mitt, tapable and hookable.
 *
 * `node build/bench/notifier.js [--json]`. Nanoseconds of a call, the best of some runs; each row
 * is a process of its own, so that no row warms another. The ratio is ours to the fastest peer's.
 */
import { execFileSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath } from 'node:url'
import { EventEmitter as EventEmitter3 } from 'eventemitter3'
import { createHooks } from 'hookable'
import * as mitts from 'mitt'
import {
  AtomicNotifierChain,
  BlockingNotifierChain,
  NOTIFY_DONE,
  RawNotifierChain,
  SrcuNotifierChain,
} from 'nlkit/kernel'
import { AsyncSeriesHook, SyncBailHook } from 'tapable'

type Listener = (event: number, data: unknown) => number | undefined
/** Who is called, and how: an expression of `it`, `event` and `data`. */
type Subject = [it: unknown, call: string]
type Mode = 'sync' | 'async, none waits' | 'async, all wait' | 'register, call, unregister'
type Kind = 'distinct' | 'closures'
interface Contestants {
  ours: Record<string, Subject>
  peers: Record<string, Subject>
}

// its types speak of CommonJS, its module is none
const mitt = mitts.default as unknown as typeof mitts.default.default
const SIZES = [1, 3, 10, 100]
const RUNS = 15
const CALL = 'it.call(event, data)'
const data = {}
const count = { value: 0 }

/** Listeners of different functions, or closures of one. Those of chains answer NOTIFY_DONE. */
function listeners(kind: Kind, size: number, answer: 0 | undefined, waits: boolean): Listener[] {
  return Array.from({ length: size }, (_, i): Listener => {
    if (kind === 'distinct') {
      const body = `count.value = (count.value + event + ${i}) | 0; return ${answer}`
      return new Function(
        'count',
        `return ${waits ? 'async ' : ''}function listener${i}(event, data) { ${body} }`,
      )(count) as Listener
    }
    return waits ? waiting(i, answer) : immediate(i, answer)
  })
}
function immediate(i: number, answer: 0 | undefined): Listener {
  return (event) => {
    count.value = (count.value + event + i) | 0
    return answer
  }
}
function waiting(i: number, answer: 0 | undefined): Listener {
  return (async (event: number) => {
    count.value = (count.value + event + i) | 0
    return answer
  }) as unknown as Listener
}

function sync(kind: Kind, size: number): Contestants {
  const fns = listeners(kind, size, undefined, false)
  const raw = new RawNotifierChain()
  const atomic = new AtomicNotifierChain()
  const blocking = new BlockingNotifierChain()
  const srcu = new SrcuNotifierChain()
  for (const call of listeners(kind, size, NOTIFY_DONE, false)) {
    for (const chain of [raw, atomic, blocking, srcu])
      chain.register({ call: call as () => number })
  }
  const emitter = new EventEmitter().setMaxListeners(0)
  const emitter3 = new EventEmitter3()
  const mitter = mitt<{ change: number }>()
  const hook = new SyncBailHook<[number, unknown], number | undefined>(['event', 'data'])
  for (const [i, fn] of fns.entries()) {
    emitter.on('change', fn)
    emitter3.on('change', fn)
    mitter.on('change', fn as (event: number) => void)
    hook.tap(`${i}`, fn as () => undefined)
  }
  return {
    ours: {
      raw: [raw, CALL],
      atomic: [atomic, CALL],
      blocking: [blocking, CALL],
      srcu: [srcu, CALL],
    },
    peers: {
      EventEmitter: [emitter, "it.emit('change', event, data)"],
      eventemitter3: [emitter3, "it.emit('change', event, data)"],
      mitt: [mitter, "it.emit('change', event)"],
      tapable: [hook, CALL],
    },
  }
}

function async(kind: Kind, size: number, waits: boolean): Contestants {
  const fns = listeners(kind, size, undefined, waits)
  const blocking = new BlockingNotifierChain()
  const srcu = new SrcuNotifierChain()
  for (const call of listeners(kind, size, NOTIFY_DONE, waits)) {
    blocking.register({ call: call as () => number })
    srcu.register({ call: call as () => number })
  }
  const series = new AsyncSeriesHook<[number, unknown]>(['event', 'data'])
  const promises = new AsyncSeriesHook<[number, unknown]>(['event', 'data'])
  const hooks = createHooks<{ change: (event: number, data: unknown) => void }>()
  for (const [i, fn] of fns.entries()) {
    if (!waits) series.tap(`${i}`, fn as () => undefined)
    promises.tapPromise(`${i}`, fn as never)
    hooks.hook('change', fn as never)
  }
  const peers: Record<string, Subject> = {
    hookable: [hooks, "it.callHook('change', event, data)"],
  }
  // tapPromise refuses what is no promise
  if (waits) peers['tapable tapPromise'] = [promises, 'it.promise(event, data)']
  else peers['tapable tap'] = [series, 'it.promise(event, data)']
  return {
    ours: {
      blocking: [blocking, CALL],
      srcu: [srcu, CALL],
    },
    peers,
  }
}

/** A chain of `size` blocks, to which one is added, which is called, from which that one is taken. */
function change(kind: Kind, size: number): Contestants {
  const [added, ...fns] = listeners(kind, size, NOTIFY_DONE, false) as [Listener, ...Listener[]]
  const raw = new RawNotifierChain()
  const blocking = new BlockingNotifierChain()
  const emitter = new EventEmitter().setMaxListeners(0)
  for (const fn of fns) {
    raw.register({ call: fn as () => number })
    blocking.register({ call: fn as () => number })
    emitter.on('change', fn)
  }
  const block = { call: added as () => number }
  const around =
    'it.chain.register(it.block); it.chain.call(event, data); it.chain.unregister(it.block)'
  return {
    ours: {
      raw: [{ chain: raw, block }, around],
      blocking: [{ chain: blocking, block }, around],
    },
    peers: {
      EventEmitter: [
        { emitter, added },
        "it.emitter.on('change', it.added); it.emitter.emit('change', event, data); it.emitter.off('change', it.added)",
      ],
    },
  }
}

function contestants(mode: Mode, kind: Kind, size: number): Contestants {
  if (mode === 'sync') return sync(kind, size)
  if (mode === 'register, call, unregister') return change(kind, size)
  return async(kind, size, mode === 'async, all wait')
}

/**
 * A loop of its own for each subject: a shared one would call them all through one site, and so
 * would functions made of the same text.
 */
function makeLoop([it, call]: Subject, waits: boolean, name: string): (rounds: number) => unknown {
  const source = `return ${waits ? 'async ' : ''}function ${name.replace(/\W/g, '_')}(rounds) {
    for (let i = 0; i < rounds; i++) {
      const event = i & 7
      ${waits ? 'await ' : ''}${call}
    }
  }`
  return new Function('it', 'data', source)(it, data)
}

/** Nanoseconds of one call, the best run's. Runs of all are interleaved, so that a slow moment hits all. */
async function measure(mode: Mode, all: Record<string, Subject>, size: number) {
  const rounds = Math.max(5_000, Math.floor((mode === 'sync' ? 2_000_000 : 300_000) / size))
  const loops = Object.entries(all).map(([name, subject]) => ({
    name,
    times: [] as number[],
    // a caller that may get a number need not await it
    loop: makeLoop(subject, mode === 'async, all wait', name),
  }))
  for (let run = 0; run <= RUNS; run++) {
    for (const { times, loop } of loops) {
      const start = performance.now()
      await loop(rounds)
      if (run > 0) times.push(((performance.now() - start) * 1e6) / rounds)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return Object.fromEntries(loops.map(({ name, times }) => [name, Math.min(...times)]))
}

async function row(mode: Mode, kind: Kind, size: number) {
  const { ours, peers } = contestants(mode, kind, size)
  const times = await measure(mode, { ...ours, ...peers }, size)
  const fastest = Object.keys(peers).sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0))[0] as string
  const ratios = Object.keys(ours).map((name) => [
    `${name} ratio`,
    ((times[name] ?? Number.NaN) / (times[fastest] ?? Number.NaN)).toFixed(2),
  ])
  const ns = Object.entries(times).map(([name, time]) => [name, time.toFixed(1)])
  return { mode, listeners: kind, blocks: size, ...Object.fromEntries([...ns, ...ratios]), fastest }
}

const MODES: Mode[] = ['sync', 'async, none waits', 'async, all wait', 'register, call, unregister']

const [, , first, ...rest] = process.argv
if (first === '--row') {
  const [mode, kind, size] = rest as [Mode, Kind, string]
  console.log(JSON.stringify(await row(mode, kind, Number(size))))
} else {
  for (const mode of MODES) {
    const rows: Record<string, unknown>[] = []
    for (const kind of ['distinct', 'closures']) {
      for (const size of SIZES) {
        const args = [fileURLToPath(import.meta.url), '--row', mode, kind, String(size)]
        const { mode: _, ...figures } = JSON.parse(
          execFileSync(process.execPath, args, { encoding: 'utf8' }),
        )
        rows.push(figures)
      }
    }
    if (first === '--json') console.log(JSON.stringify({ mode, rows }))
    else {
      console.log(`\n${mode}: ns, and ratios to the fastest peer`)
      console.table(rows)
    }
  }
}
