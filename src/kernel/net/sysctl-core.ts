/**
 * net/core: what is kept, and in the first namespace what is one for all of them.
 *
 * Kernel: net/core/sysctl_net_core.c net_core_table (Linux 6.18).
 */
import type { NetStack } from './stack.ts'
import { parseInteger, type SysctlDirectory } from './sysctl-file.ts'
import type { KeptDirectory } from './sysctl-kept.ts'

const FALLBACKS = 'fb_tunnels_only_for_init_net'

export class CoreDirectory implements SysctlDirectory {
  readonly #stack: NetStack
  readonly #kept: KeptDirectory

  constructor(stack: NetStack, kept: KeptDirectory) {
    this.#stack = stack
    this.#kept = kept
  }

  names(): Iterable<string> {
    return this.#stack.isFirst ? [FALLBACKS, ...this.#kept.names()] : this.#kept.names()
  }

  mode(name: string): number | undefined {
    return this.#kept.mode(name)
  }

  read(name: string): string | undefined {
    if (!this.#isOurs(name)) return this.#kept.read(name)
    return String(this.#stack.tunnelModules.fallbacksOnlyForFirst)
  }

  write(name: string, text: string): boolean {
    if (!this.#isOurs(name)) return this.#kept.write(name, text)
    this.#stack.tunnelModules.fallbacksOnlyForFirst = parseInteger(text, 0, 2)
    return true
  }

  #isOurs(name: string): boolean {
    return name === FALLBACKS && this.#stack.isFirst
  }
}
