/**
 * The environment of a uevent: `KEY=value` lines, within bounds.
 *
 * Kernel: lib/kobject_uevent.c add_uevent_var(), zap_modalias_env() (Linux 6.12).
 */
import { NetlinkError } from '../../errors.ts'
import { UEVENT_BUFFER_SIZE, UEVENT_NUM_ENVP } from '../../families/uevent.ts'

const encoder = new TextEncoder()

/** struct kobj_uevent_env. */
export class UeventEnv {
  readonly #lines: string[] = []
  readonly #warn: (text: string) => void
  #bytes = 0

  /** `warn` gets lines for the log. */
  constructor(warn: (text: string) => void) {
    this.#warn = warn
  }
  /** The variables so far, in order. */
  get lines(): readonly string[] {
    return this.#lines
  }
  /**
   * add_uevent_var(): adds `KEY=value`.
   * @throws NetlinkError ENOMEM for the 65th variable, and beyond 2,048 bytes (each variable has a
   * NUL behind it); EINVAL for a NUL in it.
   */
  add(line: string): void {
    if (line.includes('\0')) throw new NetlinkError('EINVAL', { message: 'a NUL ends a variable' })
    if (this.#lines.length >= UEVENT_NUM_ENVP) this.#refuse('too many keys')
    const size = encoder.encode(line).length + 1
    if (this.#bytes + size > UEVENT_BUFFER_SIZE) this.#refuse('buffer size too small')
    this.#lines.push(line)
    this.#bytes += size
  }
  /** Takes every variable of that name out again. */
  drop(key: string): void {
    const kept = this.#lines.filter((line) => !line.startsWith(`${key}=`))
    this.#lines.splice(0, this.#lines.length, ...kept)
  }

  #refuse(why: string): never {
    const message = `add_uevent_var: ${why}`
    this.#warn(message)
    throw new NetlinkError('ENOMEM', { message })
  }
}
