/**
 * The kernel's log: a bounded ring of numbered lines, and those who follow it.
 *
 * Kernel: kernel/printk/printk.c vprintk_store(), printk_ringbuffer.c (Linux 6.12).
 */
import type { Clock } from '../clock.ts'

/** KERN_EMERG to KERN_DEBUG. */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
export const KERN_EMERG = 0
export const KERN_ALERT = 1
export const KERN_CRIT = 2
export const KERN_ERR = 3
export const KERN_WARNING = 4
export const KERN_NOTICE = 5
export const KERN_INFO = 6
export const KERN_DEBUG = 7
/** What a text without a level has (CONFIG_MESSAGE_LOGLEVEL_DEFAULT). */
export const KERN_DEFAULT = KERN_WARNING
/** Not a level: the text goes on where the last one stopped without a newline. */
export const KERN_CONT = -1

/** Characters of one entry (PRINTKRB_RECORD_MAX); what is longer is cut. */
const LONGEST_TEXT = 1024

/** One entry of the log. */
export interface LogEntry {
  /** Counts from 0 without gaps: a reader sees what it has missed. */
  readonly seq: number
  readonly level: LogLevel
  /** Milliseconds since boot. */
  readonly time: number
  /** Without the newline at its end. */
  readonly text: string
}

/** Hears each entry as it is written. */
export type LogFollower = (entry: LogEntry) => void

/** A bounded log: the oldest entries go first. */
export class KernelLog {
  readonly #clock: Clock
  readonly #capacity: number
  readonly #ring: LogEntry[] = []
  readonly #followers = new Set<LogFollower>()
  #seq = 0
  /** The first entry that was not cleared. */
  #clearedTo = 0
  /** Whether the last text ended without a newline: KERN_CONT may go on with it. */
  #isOpen = false
  #isTelling = false

  /** `capacity` is the number of entries kept. */
  constructor(clock: Clock, capacity = 1024) {
    this.#clock = clock
    this.#capacity = capacity
  }
  /** Number of the entry that comes next. */
  get nextSeq(): number {
    return this.#seq
  }
  /** Number of the oldest entry that is kept, whether it was cleared or not. */
  get firstSeq(): number {
    return Math.max(0, this.#seq - this.#capacity)
  }
  /**
   * Adds an entry; KERN_CONT adds to the one before, if that has no newline at its end. A newline
   * at the end is not kept.
   */
  printk(level: LogLevel | typeof KERN_CONT, text: string): void {
    const isOpen = !text.endsWith('\n')
    const line = isOpen ? text : text.slice(0, -1)
    const last = this.#ring[(this.#seq - 1) % this.#capacity]
    if (level === KERN_CONT && this.#isOpen && last && fits(last.text, line)) {
      this.#put({ ...last, text: last.text + line })
    } else {
      this.#put({
        seq: this.#seq++,
        level: level === KERN_CONT ? KERN_DEFAULT : level,
        time: this.#clock.monotonic(),
        text: line.slice(0, LONGEST_TEXT),
      })
    }
    this.#isOpen = isOpen
  }
  /** The entries that are kept, oldest first, from `seq` on; without it those not cleared. */
  entries(seq = this.#clearedTo): LogEntry[] {
    const entries: LogEntry[] = []
    for (let next = Math.max(seq, this.firstSeq); next < this.#seq; next++) {
      entries.push(this.#ring[next % this.#capacity] as LogEntry)
    }
    return entries
  }
  /** `dmesg --clear`: `entries()` begins behind what is there now; nothing is lost. */
  clear(): void {
    this.#clearedTo = this.#seq
  }
  /**
   * Tells `follower` of each entry to come, inside the printk() that writes it. An entry to which
   * KERN_CONT adds is told of again, with the same number. What a follower itself logs is kept,
   * and told to nobody. A follower that throws is told of nothing more.
   * @returns stops it; harmless when repeated.
   */
  follow(follower: LogFollower): () => void {
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
    }
  }
  /** Forgets who follows. */
  close(): void {
    this.#followers.clear()
  }

  #put(entry: LogEntry): void {
    this.#ring[entry.seq % this.#capacity] = entry
    if (this.#isTelling || this.#followers.size === 0) return
    this.#isTelling = true
    try {
      for (const follower of [...this.#followers]) this.#tell(follower, entry)
    } finally {
      this.#isTelling = false
    }
  }
  #tell(follower: LogFollower, entry: LogEntry): void {
    try {
      follower(entry)
    } catch (error) {
      this.#followers.delete(follower)
      this.printk(KERN_ERR, `printk: a follower of the log failed: ${error}\n`)
    }
  }
}

function fits(text: string, more: string): boolean {
  return text.length + more.length <= LONGEST_TEXT
}
