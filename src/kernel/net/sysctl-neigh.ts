/**
 * The files of net/ipv4/neigh/NAME and net/ipv6/neigh/NAME: what `ip ntable` shows, too.
 *
 * Kernel: net/core/neighbour.c neigh_sysctl_template (Linux 6.18).
 */
import type { NeighParms, NeighSettings, NeighTableParms } from './neigh-parms.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'

/** Milliseconds of a tick (USER_HZ is 100). */
const TICK = 10

/** What a file is of, and how many of the setting's units its own unit has. */
const files: ReadonlyMap<string, readonly [keyof NeighSettings, number]> = new Map([
  ['anycast_delay', ['anycastDelay', TICK]],
  ['app_solicit', ['appProbes', 1]],
  ['base_reachable_time', ['baseReachableTime', 1000]],
  ['base_reachable_time_ms', ['baseReachableTime', 1]],
  ['delay_first_probe_time', ['delayProbeTime', 1000]],
  ['gc_stale_time', ['gcStaletime', 1000]],
  ['interval_probe_time_ms', ['intervalProbeTimeMs', 1]],
  ['locktime', ['locktime', TICK]],
  ['mcast_resolicit', ['mcastReprobes', 1]],
  ['mcast_solicit', ['mcastProbes', 1]],
  ['proxy_delay', ['proxyDelay', TICK]],
  ['proxy_qlen', ['proxyQlen', 1]],
  ['retrans_time', ['retransTime', TICK]],
  ['retrans_time_ms', ['retransTime', 1]],
  ['ucast_solicit', ['ucastProbes', 1]],
  ['unres_qlen_bytes', ['queueLenbytes', 1]],
])
const QUEUE_LENGTH = 'unres_qlen'

/** A whole table's, which the first namespace's default folder has. */
const tableFiles = {
  gc_interval: ['gcInterval', 1000],
  gc_thresh1: ['thresh1', 1],
  gc_thresh2: ['thresh2', 1],
  gc_thresh3: ['thresh3', 1],
} as const satisfies Record<string, readonly [keyof NeighTableParms, number]>

type TableFile = keyof typeof tableFiles
const isTableFile = (name: string): name is TableFile => Object.hasOwn(tableFiles, name)

export class NeighDirectory implements SysctlDirectory {
  readonly #parms: NeighParms
  readonly #table: NeighTableParms | undefined

  /** @param table of the default folder. */
  constructor(parms: NeighParms, table: NeighTableParms | undefined) {
    this.#parms = parms
    this.#table = table
  }

  names(): Iterable<string> {
    return [...files.keys(), QUEUE_LENGTH, ...(this.#table ? Object.keys(tableFiles) : [])]
  }

  read(name: string): string | undefined {
    if (name === QUEUE_LENGTH) return String(this.#parms.queueLen)
    const file = files.get(name)
    if (file) return String(Math.floor(this.#parms.settings[file[0]] / file[1]))
    if (!this.#table || !isTableFile(name)) return undefined
    const [setting, unit] = tableFiles[name]
    return String(Math.floor(this.#table[setting] / unit))
  }

  write(name: string, text: string): boolean {
    const file = files.get(name)
    if (file) this.#parms.change({ [file[0]]: parseInteger(text, 0) * file[1] })
    else if (name === QUEUE_LENGTH) this.#parms.change({ queueLen: parseInteger(text, 0) })
    else if (this.#table && isTableFile(name)) {
      const [setting, unit] = tableFiles[name]
      this.#table[setting] = parseInteger(text, 0) * unit
    } else return false
    return true
  }
}
