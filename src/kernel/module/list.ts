/**
 * Modules as text: lsmod, /proc/modules and modinfo.
 *
 * Kernel: kernel/module/procfs.c m_show(). Programs: kmod's lsmod and modinfo.
 */
import type { ModuleDefinition } from './definition.ts'
import {
  type KernelModule,
  MODULE_STATE_COMING,
  MODULE_STATE_GOING,
  type ModuleState,
} from './module.ts'

const PAGE_SIZE = 4096

/** One row of lsmod. */
export interface ModuleStatus {
  readonly name: string
  /** Bytes of its functions' text, in whole pages. */
  readonly size: number
  readonly refcount: number
  /** Modules that use it, the newest first. */
  readonly usedBy: readonly string[]
  readonly state: 'Live' | 'Loading' | 'Unloading'
}

/** What modinfo tells. */
export interface ModuleInfo {
  readonly name: string
  readonly license: string
  readonly version?: string | undefined
  readonly description?: string | undefined
  readonly author?: string | undefined
  readonly depends: readonly string[]
  readonly params: readonly { name: string; type: string; description?: string | undefined }[]
}

function stateName(state: ModuleState): ModuleStatus['state'] {
  if (state === MODULE_STATE_COMING) return 'Loading'
  return state === MODULE_STATE_GOING ? 'Unloading' : 'Live'
}

function sizeOf({ init, exit, exports }: ModuleDefinition): number {
  const parts = [init, exit, exports, ...Object.values(exports ?? {})]
  const text = parts.reduce<number>(
    (sum, part) => sum + (typeof part === 'function' ? String(part).length : 0),
    0,
  )
  return Math.max(1, Math.ceil(text / PAGE_SIZE)) * PAGE_SIZE
}

export function moduleStatus(module: KernelModule): ModuleStatus {
  return {
    name: module.name,
    size: sizeOf(module.definition),
    refcount: module.refcount,
    usedBy: [...module.holders].map(({ name }) => name).reverse(),
    state: stateName(module.state),
  }
}

export function moduleInfo(definition: ModuleDefinition): ModuleInfo {
  const { name, license, version, description, author, depends = [], params = {} } = definition
  const parameters = Object.entries(params).map(([key, { type, description: about }]) => ({
    name: key,
    type,
    description: about,
  }))
  return { name, license, version, description, author, depends, params: parameters }
}

/** What lsmod prints, with its heading. */
export function formatLsmod(modules: readonly ModuleStatus[]): string {
  const rows = modules.map(({ name, size, refcount, usedBy }) => {
    const users = usedBy.length > 0 ? ` ${usedBy.join(',')}` : ''
    return `${name.padEnd(19)} ${String(size).padStart(8)}  ${refcount}${users}\n`
  })
  return `Module                  Size  Used by\n${rows.join('')}`
}

/** /proc/modules: `name size refcount users, state address`. */
export function formatProcModules(modules: readonly ModuleStatus[]): string {
  return modules
    .map(({ name, size, refcount, usedBy, state }) => {
      const users = usedBy.length > 0 ? `${usedBy.join(',')},` : '-'
      return `${name} ${size} ${refcount} ${users} ${state} 0x0000000000000000\n`
    })
    .join('')
}

/** What modinfo prints. */
export function formatModinfo(info: ModuleInfo, filename = '(none)'): string {
  const lines: [key: string, value: string][] = [['filename', filename]]
  for (const key of ['license', 'author', 'description', 'version'] as const) {
    const value = info[key]
    if (value !== undefined) lines.push([key, value])
  }
  lines.push(['depends', info.depends.join(',')], ['name', info.name])
  for (const { name, type, description } of info.params) {
    lines.push(['parm', `${name}:${description ? `${description} ` : ''}(${type})`])
  }
  return lines.map(([key, value]) => `${`${key}:`.padEnd(16)}${value}\n`).join('')
}
