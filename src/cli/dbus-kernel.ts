/** Where the kernel of a bus is served when nobody says otherwise. */
import { dirname, join } from 'node:path'
import { defaultPath, makePrivateFolder } from '../daemon/place.ts'
import type { RunningBus } from '../dbus/gateway/start.ts'

/**
 * `dbus-GUID.sock` in the user's runtime folder: who knows the bus's address knows it too.
 * @throws NetlinkError EPERM when the folder is not ours alone.
 */
export function kernelPathOf({ bus }: RunningBus): string {
  const path = join(dirname(defaultPath()), `dbus-${bus.guid}.sock`)
  makePrivateFolder(path)
  return path
}
