/**
 * What telling a notifier chain costs, beside EventEmitter, eventemitter3, mitt, tapable and hookable.
 *
 * `node build/bench/notifier.js [--json]`. Nanoseconds of a call, the median of some runs; each row
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
type Subject = (event: number, data: unknown) => unknown
type Mode = 'sync' | 'async, none waits' | 'async, all wait' | 'register, call, unregister'
type Kind = 'distinct' | 'closures'
interface Contestants {
  ours: Record<string, Subject>
  peers: Record<string, Subject>
}

// its types speak of CommonJS, its module is none
const mitt = mitts.default as unknown as typeof mitts.default.default
const SIZES = [1, 3, 10, 100]
const RUNS = 9
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
  for (const call of listeners(kind, size, NOTIFY_DONE, false)) {
    raw.register({ call: call as () => number })
    atomic.register({ call: call as () => number })
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
      raw: (event, what) => raw.call(event, what),
      atomic: (event, what) => atomic.call(event, what),
    },
    peers: {
      EventEmitter: (event, what) => emitter.emit('change', event, what),
      eventemitter3: (event, what) => emitter3.emit('change', event, what),
      mitt: (event) => mitter.emit('change', event),
      tapable: (event, what) => hook.call(event, what),
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
    hookable: (event, what) => hooks.callHook('change', event, what),
  }
  // tapPromise refuses what is no promise
  if (waits) peers['tapable tapPromise'] = (event, what) => promises.promise(event, what)
  else peers['tapable tap'] = (event, what) => series.promise(event, what)
  return {
    ours: {
      blocking: (event, what) => blocking.call(event, what),
      srcu: (event, what) => srcu.call(event, what),
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
  return {
    ours: {
      raw(event, what) {
        raw.register(block)
        raw.call(event, what)
        raw.unregister(block)
      },
      blocking(event, what) {
        blocking.register(block)
        blocking.call(event, what)
        blocking.unregister(block)
      },
    },
    peers: {
      EventEmitter(event, what) {
        emitter.on('change', added)
        emitter.emit('change', event, what)
        emitter.off('change', added)
      },
    },
  }
}

function contestants(mode: Mode, kind: Kind, size: number): Contestants {
  if (mode === 'sync') return sync(kind, size)
  if (mode === 'register, call, unregister') return change(kind, size)
  return async(kind, size, mode === 'async, all wait')
}

/** A loop of its own for each subject: a shared one would call them all through one site. */
function makeLoop(waits: boolean): (subject: Subject, rounds: number) => unknown {
  const source = `return ${waits ? 'async ' : ''}function (subject, rounds, data) {
    for (let i = 0; i < rounds; i++) ${waits ? 'await ' : ''}subject(i & 7, data)
  }`
  const loop = new Function(source)() as (s: Subject, rounds: number, data: unknown) => unknown
  return (subject, rounds) => loop(subject, rounds, data)
}

/** Median nanoseconds of one call. Runs of all are interleaved, so that a slow moment hits all. */
async function measure(mode: Mode, all: Record<string, Subject>, size: number) {
  const rounds = Math.max(5_000, Math.floor((mode === 'sync' ? 2_000_000 : 300_000) / size))
  const loops = Object.entries(all).map(([name, subject]) => ({
    name,
    subject,
    times: [] as number[],
    // a caller that may get a number need not await it
    run: makeLoop(mode === 'async, all wait'),
  }))
  for (let run = 0; run <= RUNS; run++) {
    for (const { subject, times, run: loop } of loops) {
      const start = performance.now()
      await loop(subject, rounds)
      if (run > 0) times.push(((performance.now() - start) * 1e6) / rounds)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return Object.fromEntries(
    loops.map(({ name, times }) => [name, times.sort((a, b) => a - b)[RUNS >> 1] ?? Number.NaN]),
  )
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
