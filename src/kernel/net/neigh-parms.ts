/**
 * Sizes and timers of a table of neighbours: the table's own, and those of each device.
 *
 * Kernel: include/net/neighbour.h struct neigh_parms; net/ipv4/arp.c arp_tbl, net/ipv6/ndisc.c
 * nd_tbl; net/core/neighbour.c neigh_parms_alloc(), neigh_rand_reach_time() (Linux 6.18).
 */
import { AF_INET } from './constants.ts'

/** Bytes that a packet of the largest size takes (SKB_TRUESIZE(ETH_FRAME_LEN)). */
const PACKET_SIZE = 2090

/** What can be set. Times in milliseconds. */
export interface NeighSettings {
  /** Bytes of packets that wait for an address. */
  queueLenbytes: number
  proxyQlen: number
  appProbes: number
  ucastProbes: number
  mcastProbes: number
  mcastReprobes: number
  baseReachableTime: number
  gcStaletime: number
  delayProbeTime: number
  retransTime: number
  anycastDelay: number
  proxyDelay: number
  locktime: number
  intervalProbeTimeMs: number
}

/** What is to be another; `queueLen` is in packets. */
export type NeighChange = {
  readonly [Name in keyof NeighSettings | 'queueLen']?: number | undefined
}

function defaultsOf(family: number): NeighSettings {
  return {
    queueLenbytes: 212_992,
    proxyQlen: 64,
    appProbes: 0,
    ucastProbes: 3,
    mcastProbes: 3,
    mcastReprobes: 0,
    baseReachableTime: 30_000,
    gcStaletime: 60_000,
    delayProbeTime: 5000,
    retransTime: 1000,
    anycastDelay: 1000,
    proxyDelay: 800,
    locktime: family === AF_INET ? 1000 : 0,
    intervalProbeTimeMs: 5000,
  }
}

/** One set (struct neigh_parms). */
export class NeighParms {
  readonly settings: NeighSettings
  /** How long a neighbour is reachable, drawn around the base. Milliseconds. */
  reachableTime: number
  readonly #chance: () => number

  constructor(settings: NeighSettings, chance: () => number) {
    this.settings = { ...settings }
    this.#chance = chance
    this.reachableTime = this.#draw()
  }

  /** Packets that wait for an address, as far as can be said. */
  get queueLen(): number {
    return Math.floor(this.settings.queueLenbytes / PACKET_SIZE)
  }

  /** neightbl_set(). */
  change(wanted: NeighChange): void {
    const { queueLen, ...settings } = wanted
    if (queueLen !== undefined) this.settings.queueLenbytes = (queueLen * PACKET_SIZE) >>> 0
    for (const [name, value] of Object.entries(settings)) {
      if (value !== undefined) this.settings[name as keyof NeighSettings] = value
    }
    if (wanted.baseReachableTime !== undefined) this.reachableTime = this.#draw()
  }

  /** Between half the base and one and a half of it. */
  #draw(): number {
    const base = this.settings.baseReachableTime
    return base === 0 ? 0 : Math.floor(base / 2 + this.#chance() * base)
  }
}

/** What a table has for all devices. */
export class NeighTableParms {
  readonly own: NeighParms
  /** Milliseconds. */
  gcInterval = 30_000
  /** Entries: below the first none is collected, above the third there are no more. */
  thresh1 = 128
  thresh2 = 512
  thresh3 = 1024
  /** Entries that were made, and that went. */
  allocs = 0
  destroys = 0

  constructor(family: number, chance: () => number) {
    this.own = new NeighParms(defaultsOf(family), chance)
  }
}
