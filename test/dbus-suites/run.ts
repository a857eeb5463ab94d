/** Runs a program of a suite on one of the two daemons, and ends all that it has left behind. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Program, Suite } from './suites.ts'
import { readTap, type Verdict } from './tap.ts'

/** A number is dbus-daemon, which takes so many seconds longer to start. */
export type Side = 'dbus-daemon' | 'nlkit' | number

export interface Run {
  readonly cases: ReadonlyMap<string, Verdict>
  /** The program's own end: its status, or the signal that ended it. */
  readonly end: string
  /** It started a daemon, or was given one. */
  readonly usesBus: boolean
  readonly seconds: number
  /** What it said, for whoever wants to know why. */
  readonly output: string
}

const REAL = '/usr/bin/dbus-daemon'
const MAIN = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
/** Everything that a run starts has this variable in its environment. */
const MARK = 'NLKIT_DBUS_SUITES'
/** Bytes of a program's output that are kept. */
const MOST_OUTPUT = 4 << 20
const READY_MS = 30_000
/** Exit status of a test that cannot run here. */
const SKIPPED = 77

/** What a daemon's start leaves in the folder of its run. */
const STARTED = 'started'

/** A folder with a `dbus-daemon` that starts the side's. */
function makeFolder(side: Side): string {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-suites-'))
  const command = side === 'nlkit' ? `'${process.execPath}' '${MAIN}' dbus start` : REAL
  const wait = typeof side === 'number' ? `sleep ${side}\n` : ''
  writeFileSync(
    join(folder, 'dbus-daemon'),
    `#!/bin/sh\n: 2>/dev/null >'${folder}/home/${STARTED}'\n${wait}exec ${command} "$@"\n`,
  )
  chmodSync(join(folder, 'dbus-daemon'), 0o755)
  // Some programs become another user, who has to find the daemon.
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'home'), { mode: 0o777 })
  chmodSync(join(folder, 'home'), 0o777)
  return folder
}

function environment(folder: string, mark: string, program: Program): Record<string, string> {
  const home = join(folder, 'home')
  return {
    PATH: `${folder}:/usr/bin:/bin:/usr/sbin:/sbin`,
    HOME: home,
    XDG_RUNTIME_DIR: home,
    LANG: 'C.UTF-8',
    DBUS_TEST_DAEMON: join(folder, 'dbus-daemon'),
    [MARK]: mark,
    ...program.env,
  }
}

/** Ends every process whose environment has `mark`. */
function endAll(mark: string): void {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    try {
      if (readFileSync(`/proc/${pid}/environ`, 'latin1').includes(mark))
        process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It is gone, or another's.
    }
  }
}

/** A session's bus for programs that want one which runs; its address. */
async function startBus(folder: string, env: Record<string, string>): Promise<string> {
  const child = spawn(
    join(folder, 'dbus-daemon'),
    ['--session', '--nofork', '--print-address=1', '--address=unix:tmpdir=/tmp'],
    { env, stdio: ['ignore', 'pipe', 'ignore'] },
  )
  return firstLine(child)
}

async function firstLine(child: ChildProcess): Promise<string> {
  const late = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  let said = ''
  for await (const part of child.stdout!.setEncoding('utf8')) {
    said += part
    if (said.includes('\n')) break
  }
  clearTimeout(late)
  if (!said.includes('\n')) throw new Error('the daemon has not told its address')
  return said.slice(0, said.indexOf('\n'))
}

/** What a program says and how it ends; after `limit` milliseconds it is ended. */
async function say(
  program: Program,
  env: Record<string, string>,
  limit: number,
): Promise<{ output: string; end: string }> {
  const child = spawn('/bin/bash', ['-c', `exec ${program.line}`], {
    cwd: program.folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      if (output.length < MOST_OUTPUT) output += part
    })
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    endAll(env[MARK]!)
  }, limit)
  try {
    // Its end, not that of its output: what it left behind may hold that open.
    const [status, signal] = (await once(child, 'exit')) as [number | null, string | null]
    await new Promise((drained) => setImmediate(drained))
    const end = isLate ? `no end in ${limit / 1000} s` : (signal ?? `status ${status}`)
    return { output, end }
  } finally {
    clearTimeout(timer)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

/** The verdict of a program that prints no cases. */
function verdictOf(end: string): Verdict {
  if (end === 'status 0') return 'ok'
  return end === `status ${SKIPPED}` ? 'skip' : 'not ok'
}

/** Seconds until nlkit's bus has told its address: of three starts, the one in the middle. */
export async function startSeconds(): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < 3; i++) {
    const folder = makeFolder('nlkit')
    const mark = randomUUID()
    const program = { name: '', line: '', folder, env: {}, isOneCase: false }
    const start = performance.now()
    try {
      await startBus(folder, environment(folder, mark, program))
      times.push((performance.now() - start) / 1000)
    } finally {
      endAll(mark)
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return times.sort((a, b) => a - b)[1]!
}

/** Runs `program` on `side`. */
export async function runOn(
  side: Side,
  suite: Suite,
  program: Program,
  limit: number,
): Promise<Run> {
  const folder = makeFolder(side)
  const mark = randomUUID()
  const env = environment(folder, mark, program)
  const start = performance.now()
  try {
    if (suite.bus === 'running') {
      const address = await startBus(folder, env)
      env.DBUS_SESSION_BUS_ADDRESS = address
      env.DBUS_SYSTEM_BUS_ADDRESS = address
    }
    const { output, end } = await say(program, env, limit)
    const cases = program.isOneCase ? new Map([['(all)', verdictOf(end)]]) : readTap(output)
    const usesBus = existsSync(join(folder, 'home', STARTED))
    return { cases, end, usesBus, output, seconds: (performance.now() - start) / 1000 }
  } finally {
    endAll(mark)
    rmSync(folder, { recursive: true, force: true })
  }
}
