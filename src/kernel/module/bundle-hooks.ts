/**
 * Hooks of Node's module loader that put the modules of a bundle in the place of their files.
 *
 * Where Node runs hooks in a thread of their own, it loads this file there, by itself.
 */

/** Under which symbol of `globalThis` a bundle leaves its table. */
export const BUNDLE = 'nlkit.bundle'

/** What the hooks know. */
export interface Shared {
  /** URL of the folder whose files are in the bundle. */
  readonly root: string
  /** What each file exports, by its path in that folder. */
  readonly names: Readonly<Record<string, readonly string[]>>
}

/** The source of a module that has what the bundle's module of that path exports. */
function facade(path: string, names: readonly string[]): string {
  const table = `globalThis[Symbol.for(${JSON.stringify(BUNDLE)})].modules`
  const lines = names.map((name, at) => `const e${at} = from.${name}; export { e${at} as ${name} }`)
  return [`const from = ${table}[${JSON.stringify(path)}]()`, ...lines].join('\n')
}

/** The source of the module that stands for `url`, if that is one of the bundle's. */
export function facadeOf(url: string, { root, names }: Shared): string | undefined {
  if (!url.startsWith(root)) return undefined
  const path = url.slice(root.length).replace(/[?#].*$/, '')
  const exported = Object.hasOwn(names, path) ? names[path] : undefined
  return exported && facade(path, exported)
}

let shared: Shared = { root: '', names: {} }

/** Node's hook, called in the hooks' thread. */
export function initialize(data: Shared): void {
  shared = data
}

/** Node's hook. */
export function load<C, R>(url: string, context: C, next: (url: string, context: C) => R): R {
  const source = facadeOf(url, shared)
  if (source === undefined) return next(url, context)
  return { format: 'module', source, shortCircuit: true } as R
}
