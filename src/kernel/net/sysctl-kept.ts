/**
 * Settings that are kept for whoever asks for them: nothing of the stack is changed by them unless
 * it asks.
 *
 * Kernel: kernel/sysctl.c proc_dointvec_minmax(), proc_doulongvec_minmax().
 */
import { NetlinkError } from '../../errors.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'
import { KEPT_SYSCTLS } from './sysctl-table.ts'

interface Kept {
  readonly initial: string
  readonly isReadOnly: boolean
  /** Least and most of a number; undefined for a text. */
  readonly limits: readonly [number, number] | undefined
}

const INT: readonly [number, number] = [-0x80000000, 0x7fffffff]
const MOST: Readonly<Record<string, number>> = {
  int: 0x7fffffff,
  uint: 0xffffffff,
  ulong: Number.MAX_SAFE_INTEGER,
}
const NUMBER = /^(-?\d+)(?: (-?\d+)\.\.(\w+))?$/

function parseKept(text: string): Kept {
  const match = NUMBER.exec(text)
  if (!match) {
    const isReadOnly = text.startsWith('ro ')
    const initial = text.replace(/^(?:ro|text) ?/, '').replaceAll(' ', '\t')
    return { initial, isReadOnly, limits: undefined }
  }
  const [, initial = '', least, most = ''] = match
  const limits: readonly [number, number] =
    least === undefined ? INT : [Number(least), MOST[most] ?? Number(most)]
  return { initial, isReadOnly: false, limits }
}

const folders: ReadonlyMap<string, ReadonlyMap<string, Kept>> = new Map(
  Object.entries(KEPT_SYSCTLS).map(([folder, lines]) => [
    folder,
    new Map(
      lines
        .split('\n')
        .filter(Boolean)
        .map((line) => {
          const at = line.indexOf(':')
          return [line.slice(0, at), parseKept(line.slice(at + 1).trim())] as const
        }),
    ),
  ]),
)

/** All folders that have such settings: `net/core` and so on. */
export const keptFolders: readonly string[] = [...folders.keys()]

/** One folder of them, of one stack. */
export class KeptDirectory implements SysctlDirectory {
  readonly #settings: ReadonlyMap<string, Kept>
  readonly #values: Map<string, string>
  readonly #folder: string

  /** @param values what was set, by whole path. */
  constructor(folder: string, values: Map<string, string>) {
    this.#folder = folder
    this.#settings = folders.get(folder) ?? new Map()
    this.#values = values
  }

  names(): Iterable<string> {
    return this.#settings.keys()
  }

  mode(name: string): number | undefined {
    const setting = this.#settings.get(name)
    return setting && (setting.isReadOnly ? 0o444 : 0o644)
  }

  read(name: string): string | undefined {
    return this.#values.get(`${this.#folder}/${name}`) ?? this.#settings.get(name)?.initial
  }

  write(name: string, text: string): boolean {
    const setting = this.#settings.get(name)
    if (!setting) return false
    if (setting.isReadOnly) throw new NetlinkError('EACCES')
    const value = setting.limits
      ? String(parseInteger(text, ...setting.limits))
      : text.trim().replace(/\s+/g, '\t')
    this.#values.set(`${this.#folder}/${name}`, value)
    return true
  }
}
