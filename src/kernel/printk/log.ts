/**
 * The kernel's log: a ring of lines, as `dmesg` shows them.
 *
 * Kernel: kernel/printk/printk.c.
 */
import type { Clock } from '../clock.ts'

/** KERN_EMERG to KERN_DEBUG. */
export type LogLevel = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7
export const KERN_ERR = 3
export const KERN_WARNING = 4
export const KERN_INFO = 6

/** One line of the log. */
export interface LogEntry {
  /** Counts from 0 without gaps: a reader sees what it has missed. */
  readonly seq: number
  readonly level: LogLevel
  /** Milliseconds since boot. */
  readonly time: number
  readonly text: string
}

/** A bounded log: the oldest lines go first. */
export class KernelLog {
  readonly #clock: Clock
  readonly #capacity: number
  readonly #ring: LogEntry[] = []
  #seq = 0

  /** `capacity` is the number of lines kept. */
  constructor(clock: Clock, capacity = 1024) {
    this.#clock = clock
    this.#capacity = capacity
  }
  /** Adds a line. */
  printk(level: LogLevel, text: string): void {
    const seq = this.#seq++
    this.#ring[seq % this.#capacity] = { seq, level, time: this.#clock.monotonic(), text }
  }
  /** The lines that are kept, oldest first. */
  entries(): LogEntry[] {
    const first = this.#seq % this.#capacity
    if (this.#ring.length < this.#capacity) return this.#ring.slice()
    return [...this.#ring.slice(first), ...this.#ring.slice(0, first)]
  }
}
