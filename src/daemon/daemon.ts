/** A kernel of its own, served and managed from outside until somebody ends it. */
import { readFileSync } from 'node:fs'
import { registerControl } from '../kernel/control/control.ts'
import { registerEthtool } from '../kernel/ethtool/index.ts'
import { Kernel } from '../kernel/kernel.ts'
import { loadModuleFile } from '../kernel/module/load-file.ts'
import { KERN_WARNING } from '../kernel/printk/log.ts'
import { recordToFile } from './record-file.ts'
import { type ServeOptions, Server } from './server.ts'

export interface DaemonOptions extends ServeOptions {
  /** Modules to load, in order, before anybody is let in. */
  readonly modules?: readonly string[]
  /** The kernel to serve; a new one unless given. It ends with the daemon. */
  readonly kernel?: Kernel
}

export interface Daemon {
  readonly kernel: Kernel
  /** Where it is served. */
  readonly path: string
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  /** Harmless when repeated. */
  close(): Promise<void>
}

/**
 * Starts a kernel and serves it.
 * @throws NetlinkError as `claim` does when the path cannot be had; what insmod throws. Nothing is
 * left then.
 */
export async function startDaemon({
  modules = [],
  kernel = new Kernel(),
  ...options
}: DaemonOptions): Promise<Daemon> {
  let server: Server | undefined
  let ending: Promise<void> | undefined
  let ended: () => void = () => {}
  const end = new Promise<void>((resolve) => {
    ended = resolve
  })
  const close = (): Promise<void> => {
    ending ??= (async () => {
      server?.close()
      await kernel.close()
      ended()
    })()
    return ending
  }
  try {
    for (const file of modules) await kernel.insmod(await loadModuleFile(file))
    server = new Server(kernel, options)
    const { path } = server
    if (kernel.genl.find('ethtool') === undefined) registerEthtool(kernel)
    registerControl(kernel, {
      pid: process.pid,
      version: readVersion(),
      path,
      clients: () => server?.clients ?? 0,
      loadModule: loadModuleFile,
      record: (file) =>
        recordToFile(kernel, file, (error) =>
          kernel.printk(KERN_WARNING, `daemon: the recording into ${file} ended: ${error.message}`),
        ),
      stop: () => void setImmediate(close),
    })
    return { kernel, path, ended: end, close }
  } catch (error) {
    await close()
    throw error
  }
}

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
