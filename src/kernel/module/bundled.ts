/**
 * Modules from files in a program that is one bundle: what they import of nlkit is the program's own.
 *
 * Without this, `import { Kernel } from 'nlkit/kernel'` in a module's file would load the class a
 * second time, and the kernel that the module is given would be no instance of it. The bundle leaves
 * a table of its modules; Node's loader is told to take those.
 */
import { readFileSync } from 'node:fs'
import * as nodeModule from 'node:module'
import { BUNDLE, initialize, load, type Shared } from './bundle-hooks.ts'

/** What scripts/bundle.mjs leaves. */
interface BundleTable {
  /** URL of the folder whose files are in the bundle. */
  readonly root: string
  /** Path of a file that holds the names of what they export, as JSON: an array by path. */
  readonly names: string
}

let isShared = false

/** From now on files import the bundle's modules, if the program is a bundle. */
export function shareBundle(): void {
  const { [Symbol.for(BUNDLE)]: table } = globalThis as { [key: symbol]: BundleTable | undefined }
  if (!table || isShared) return
  isShared = true
  const names = JSON.parse(readFileSync(table.names, 'utf8')) as Shared['names']
  const data: Shared = { root: table.root, names }
  // In this thread where this Node can do that (22.15): then it holds for require() too.
  const { registerHooks } = nodeModule as { registerHooks?(hooks: { load: unknown }): void }
  if (!registerHooks) {
    nodeModule.register(new URL('./bundle-hooks.js', import.meta.url), { data })
    return
  }
  initialize(data)
  registerHooks({ load })
}
