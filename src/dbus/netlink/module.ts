/**
 * `dbus`, a kernel module: registers the family, then a notifier block by which a connection ends
 * with its socket; when the second fails the first is undone.
 */
import { dbus } from '../../families/dbus.ts'
import {
  defineModule,
  type Kernel,
  NETLINK_URELEASE,
  type NetlinkNotify,
  NOTIFY_DONE,
} from '../../kernel/index.ts'
import { Bus } from '../bus/bus.ts'
import { driver } from '../driver/driver.ts'
import { handlersOf } from './handlers.ts'
import { type DbusBus, DbusRouter } from './router.ts'

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A bus that has no configuration: all may connect, own and send. */
function makeBus(router: DbusRouter, name: string, guid: Uint8Array | undefined): DbusBus {
  const { kernel } = router
  const identity = hex(guid ?? crypto.getRandomValues(new Uint8Array(16)))
  return router.addBus(
    name,
    () =>
      new Bus({
        guid: identity,
        driver,
        credentials: { uid: 0, pid: undefined, gids: undefined, label: undefined },
        machineId: () => identity,
        timer: (milliseconds, expired) => kernel.clock.setTimer(expired, milliseconds),
      }),
  )
}

export const dbusModule = defineModule({
  name: 'dbus',
  license: 'MIT',
  description: 'D-Bus over generic netlink',
  exports: (kernel: Kernel) => ({ dbus_router: new DbusRouter(kernel) }),
  init(kernel, { exports, module }) {
    const router = exports.dbus_router
    router.family = kernel.genl.registerFamily(dbus, handlersOf(router, makeBus), {
      resvStartOp: 1,
      module,
    })
    const block = {
      name: 'dbus',
      call(event: typeof NETLINK_URELEASE, notify: NetlinkNotify): number {
        if (event === NETLINK_URELEASE) router.released(notify)
        return NOTIFY_DONE
      },
    }
    try {
      kernel.netlink.notifier.register(block)
    } catch (error) {
      router.family.unregister()
      throw error
    }
    return () => {
      kernel.netlink.notifier.unregister(block)
      router.clear()
      router.family.unregister()
    }
  },
})
