/** Runs a scenario on Linux, in a network namespace of its own, and on a new kernel of nlkit's. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { linuxIsWithout } from '../linux-without.ts'
import { type Outcome, readOutcome, toScript } from './driver.ts'
import { type Run, runScript } from './process.ts'
import type { Scenario } from './scenario.ts'

const { startDaemon } = (await import(
  new URL('../../../dist/daemon/daemon.js', import.meta.url).href
)) as {
  startDaemon(options: {
    path: string
    kernel: object
  }): Promise<{ path: string; close(): Promise<void> }>
}
const { Kernel } = (await import(
  new URL('../../../dist/kernel/kernel.js', import.meta.url).href
)) as {
  Kernel: new (init: {
    without: readonly string[]
  }) => { setSysctl(name: string, value: number): void }
}

const preload = fileURLToPath(
  new URL(`../../../native/preload/prebuilt/linux-${process.arch}.so`, import.meta.url),
)

/** Recorded where all modules were loaded, and tunnels that come with them kept out of namespaces. */
const IS_WITHOUT_FALLBACKS = /^own\/kind-/

/** Seconds for a scenario that does not name its own. */
const SECONDS = 60

async function runIn(scenario: Scenario, shim: Run['shim'], patience = 1): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-fidelity-'))
  try {
    const monitor = await runScript({
      script: toScript(scenario, folder),
      shim,
      env: scenario.env ?? {},
      seconds: (scenario.seconds ?? SECONDS) * patience,
    })
    return readOutcome(scenario, folder, monitor)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * @param patience how many times a scenario's time it may take, as an emulated machine does
 * @throws Error when the scenario does not come to its end in time
 */
export function runOnLinux(scenario: Scenario, patience = 1): Promise<Outcome> {
  return runIn(scenario, undefined, patience)
}

/** As `nlkit run` does, without a new process for the kernel. @throws Error as `runOnLinux` */
export async function runOnNlkit(scenario: Scenario): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'nlkit-fidelity-kernel-'))
  try {
    const kernel = new Kernel({ without: scenario.recorded ? [] : linuxIsWithout })
    if (IS_WITHOUT_FALLBACKS.test(scenario.id)) {
      kernel.setSysctl('net.core.fb_tunnels_only_for_init_net', 2)
    }
    const daemon = await startDaemon({ path: join(folder, 'kernel.sock'), kernel })
    try {
      return await runIn(scenario, { preload, path: daemon.path })
    } finally {
      await daemon.close()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
