/** Runs a scenario on Linux, in a network namespace of its own, and on a new kernel of nlkit's. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Outcome, readOutcome, toScript } from './driver.ts'
import type { Scenario } from './scenario.ts'

const { startDaemon } = (await import(
  new URL('../../../dist/daemon/daemon.js', import.meta.url).href
)) as {
  startDaemon(options: { path: string }): Promise<{ path: string; close(): Promise<void> }>
}

const shim = fileURLToPath(
  new URL(`../../../native/preload/prebuilt/linux-${process.arch}.so`, import.meta.url),
)

/** Seconds for a scenario that does not name its own. */
const SECONDS = 30

/** `ip netns` keeps names in a folder; a scenario has one of its own. */
const OWN_NAMES = 'mkdir -p /run/netns && mount -t tmpfs none /run/netns'

const plain = { PATH: process.env.PATH, HOME: '/root', LC_ALL: 'C', TERM: 'dumb' }

/**
 * Runs `script` in a network namespace of its own, whichever kernel it speaks to: what passes by
 * the shim reaches nothing of the machine's.
 */
async function runScript(script: string, env: NodeJS.ProcessEnv, seconds: number): Promise<void> {
  const { LD_PRELOAD: preload = '', ...rest } = env
  const set = preload ? `export LD_PRELOAD='${preload}'; ` : ''
  const inner = `${OWN_NAMES}; ${set}exec sh -c "$0"`
  const child = spawn('unshare', ['-n', '-m', 'sh', '-c', inner, script], {
    env: { ...plain, ...rest },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(0, 2000)
  })
  const killAll = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended, and all that it started with it.
    }
  }
  let late = false
  const timer = setTimeout(() => {
    late = true
    killAll()
  }, seconds * 1000)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject)
      child.on('exit', resolve)
    })
    if (late) throw new Error(`did not end within ${seconds} s`)
    if (code !== 0) throw new Error(`the script ended with ${code}: ${complaint}`)
  } finally {
    clearTimeout(timer)
    killAll()
  }
}

async function runIn(scenario: Scenario, env: NodeJS.ProcessEnv): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-fidelity-'))
  try {
    await runScript(
      toScript(scenario, folder),
      { ...env, ...scenario.env },
      scenario.seconds ?? SECONDS,
    )
    return readOutcome(scenario, folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @throws Error when the scenario does not come to its end in time */
export function runOnLinux(scenario: Scenario): Promise<Outcome> {
  return runIn(scenario, {})
}

/** As `nlkit run` does, without a new process for the kernel. @throws Error as `runOnLinux` */
export async function runOnNlkit(scenario: Scenario): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-fidelity-kernel-'))
  try {
    const daemon = await startDaemon({ path: join(folder, 'kernel.sock') })
    try {
      return await runIn(scenario, { LD_PRELOAD: shim, NLKIT_SHIM: daemon.path })
    } finally {
      await daemon.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
