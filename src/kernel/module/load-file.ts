/**
 * Modules from files: `.js` everywhere; `.ts` where Node takes it, otherwise through `tsx`.
 *
 * This file and bundled.ts alone of the kernel need Node.
 */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { NetlinkError } from '../../errors.ts'
import { shareBundle } from './bundled.ts'
import { isModuleDefinition, type ModuleDefinition } from './definition.ts'

/**
 * Reads the module that a file exports: as its default, or as the only one there. A file that was
 * changed is read anew.
 * @throws NetlinkError ENOENT; EACCES; ENOEXEC when it does not parse, fails, or has not one module.
 */
export async function loadModuleFile(file: string): Promise<ModuleDefinition> {
  const path = resolve(file)
  const url = pathToFileURL(path)
  url.searchParams.set('changed', String(modifiedAt(path, file)))
  shareBundle()
  let exported: Readonly<Record<string, unknown>>
  try {
    exported = isTypeScript(path) ? await importTypeScript(path, url) : await import(url.href)
  } catch (error) {
    if (error instanceof NetlinkError) throw error
    throw refuse(file, error instanceof Error ? `${error.name}: ${error.message}` : error, error)
  }
  return pick(file, exported)
}

function modifiedAt(path: string, file: string): number {
  try {
    const status = statSync(path)
    if (status.isFile()) return status.mtimeMs
  } catch (error) {
    const { code } = error as { code?: string }
    const known = code === 'EACCES' ? code : 'ENOENT'
    throw new NetlinkError(known, { message: `${file}: no module file can be read there` })
  }
  throw refuse(file, 'it is no file')
}

function isTypeScript(path: string): boolean {
  return /\.[cm]?ts$/.test(path)
}

async function importTypeScript(path: string, url: URL): Promise<Record<string, unknown>> {
  const { features } = process as { features: { typescript?: unknown } }
  if (features.typescript) return import(url.href)
  const tsx = findTsx(path)
  if (!tsx) {
    throw new NetlinkError('ENOEXEC', {
      message: `${path}: this Node does not run TypeScript: use Node 22.18 or later, install tsx, or give a .js file`,
    })
  }
  const { tsImport } = await import(pathToFileURL(tsx).href)
  return tsImport(url.href, import.meta.url)
}

/** tsx where the module's file, or the program, would find it. */
function findTsx(path: string): string | undefined {
  for (const from of [path, resolve('package.json')]) {
    try {
      return createRequire(from).resolve('tsx/esm/api')
    } catch {}
  }
  return undefined
}

function pick(file: string, exported: Readonly<Record<string, unknown>>): ModuleDefinition {
  const { default: main } = exported
  if (isModuleDefinition(main)) return main
  const modules = new Set(Object.values(exported).filter(isModuleDefinition))
  const [only] = modules
  if (only && modules.size === 1) return only
  const many = modules.size > 1
  throw refuse(
    file,
    many
      ? 'it exports several modules, and none as its default'
      : 'it exports no module made with defineModule()',
  )
}

function refuse(file: string, why: unknown, cause?: unknown): NetlinkError {
  return new NetlinkError('ENOEXEC', { message: `${file}: ${why}`, cause })
}
