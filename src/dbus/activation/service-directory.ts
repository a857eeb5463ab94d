/** The services of some directories; of two with one name the first counts. */
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { ServiceDirectory } from '../config/config.ts'
import { parseServiceFile, type Service } from './service-file.ts'

export class ServiceDirectories {
  #directories: readonly ServiceDirectory[]
  #services = new Map<string, Service>()
  #seen = ''

  constructor(directories: readonly ServiceDirectory[]) {
    this.#directories = directories
    this.read(directories)
  }

  /** In the order in which they were found. */
  names(): readonly string[] {
    return [...this.#services.keys()]
  }

  /** The service that provides `name`; a directory that has changed is read again first. */
  find(name: string): Service | undefined {
    if (this.#state() !== this.#seen) this.read(this.#directories)
    return this.#services.get(name)
  }

  /** Reads all anew. */
  read(directories: readonly ServiceDirectory[]): void {
    this.#directories = directories
    for (const { path, transient } of directories) if (transient) makeDirectory(path)
    this.#seen = this.#state()
    this.#services = new Map()
    for (const directory of directories) this.#readDirectory(directory)
  }

  #state(): string {
    return this.#directories.map(({ path }) => changedAt(path)).join()
  }

  #readDirectory({ path, strictNames }: ServiceDirectory): void {
    for (const file of filesOf(path)) {
      const service = readService(join(path, file))
      if (service === undefined || this.#services.has(service.name)) continue
      if (strictNames && file !== `${service.name}.service`) continue
      this.#services.set(service.name, service)
    }
  }
}

/** Where services are put while the bus runs: nobody else has to make it. Without it there are none. */
function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch {
    // The runtime directory is not there, or another's.
  }
}

function changedAt(path: string): string {
  try {
    return String(statSync(path, { bigint: true }).mtimeNs)
  } catch {
    return ''
  }
}

function filesOf(path: string): string[] {
  try {
    return readdirSync(path)
      .filter((file) => file.endsWith('.service'))
      .sort()
  } catch {
    return []
  }
}

/** Undefined for a file that is none, or is gone meanwhile. */
function readService(path: string): Service | undefined {
  try {
    const service = parseServiceFile(readFileSync(path, 'utf8'))
    return typeof service === 'string' ? undefined : service
  } catch {
    return undefined
  }
}
