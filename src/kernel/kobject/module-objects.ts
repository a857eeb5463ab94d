/**
 * Modules as objects below /sys/module: `add` behind a module's init, `remove` behind its exit.
 *
 * Kernel: kernel/module/sysfs.c mod_sysfs_setup(), do_init_module() (Linux 6.12).
 */
import { MODULE_STATE_GOING, MODULE_STATE_LIVE, type ModuleState } from '../module/module.ts'
import { NOTIFY_DONE, type NotifierBlock } from '../notifier/index.ts'
import type { Kobjects } from './kobjects.ts'

/** Last of all: who else hears of a module hears before user space does. */
const LAST = -(2 ** 31)

/** A block for module_notify_list. */
export function moduleObjects(
  kobjects: Kobjects,
): NotifierBlock<ModuleState, { readonly name: string }> {
  const kset = kobjects.createKset('module')
  return {
    name: 'module_kobjects',
    priority: LAST,
    call(state, { name }) {
      if (state === MODULE_STATE_LIVE) kobjects.create(name, { kset }).add().uevent('add')
      else if (state === MODULE_STATE_GOING) kset.child(name)?.put()
      return NOTIFY_DONE
    },
  }
}
