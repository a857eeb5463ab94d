/** All names of one kernel: those that need none, and those that are bound to it. */
import type { Kernel } from '../kernel.ts'
import { KERN_DEFAULT, type LogLevel } from '../printk/log.ts'
import { connectorOf } from './connector.ts'
import { genetlinkOf } from './genetlink.ts'
import * as netlink from './netlink.ts'
import * as headers from './nlmsghdr.ts'
import * as notifier from './notifier.ts'
import { rtnetlinkOf } from './rtnetlink.ts'
import * as buffers from './sk-buff.ts'

/** Names that need no kernel. */
export const pure = { ...headers, ...buffers, ...notifier, ...netlink }

/** KERN_SOH: what a level's text begins with. */
const SOH = String.fromCharCode(1)
const LEVELS: readonly LogLevel[] = [0, 1, 2, 3, 4, 5, 6, 7]

function printkOf(kernel: Kernel) {
  return {
    /**
     * printk(): `%s`, `%d`, `%i`, `%u`, `%lu` and `%x` take the arguments in turn. A level is what
     * the text begins with (KERN_INFO, \x016), a warning otherwise.
     */
    printk(format: string, ...args: readonly unknown[]): void {
      let next = 0
      const text = format.replace(/%(?:[sdiu]|lu|ld|x)/g, (kind) => {
        const value = args[next++]
        return kind === '%x' ? Number(value).toString(16) : String(value)
      })
      const level = text.startsWith(SOH) ? LEVELS[Number(text[1])] : undefined
      if (level === undefined) kernel.log.printk(KERN_DEFAULT, text)
      else kernel.log.printk(level, text.slice(2))
    },
  }
}

/** The kernel's C names, for `kernel`. */
export function compat(kernel: Kernel) {
  const netlinkNames = netlink.netlinkOf(kernel)
  return {
    ...pure,
    ...printkOf(kernel),
    // biome-ignore lint/nursery/noMisusedPromises: an object of functions, no promise
    ...netlinkNames,
    ...genetlinkOf(kernel),
    ...rtnetlinkOf(kernel),
    ...connectorOf(kernel),
  }
}
export type Compat = ReturnType<typeof compat>
