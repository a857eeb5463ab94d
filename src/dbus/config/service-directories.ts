/** Where .service files are, when a configuration says "the standard ones" (dbus-daemon(1)). */
import { join } from 'node:path'
import type { ServiceDirectory } from './config.ts'

/** Of a session bus: XDG directories, those of the runtime first. */
export function sessionServiceDirectories(
  env: Readonly<Record<string, string | undefined>>,
): ServiceDirectory[] {
  const { XDG_RUNTIME_DIR: runtime, HOME: home } = env
  const found: ServiceDirectory[] = []
  if (runtime)
    found.push({ path: join(runtime, 'dbus-1/services'), strictNames: true, transient: true })
  const own = env.XDG_DATA_HOME || (home && join(home, '.local/share'))
  const shared = (env.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(':')
  for (const directory of [own, ...shared, '/usr/share'])
    if (directory) found.push(standard(join(directory, 'dbus-1/services')))
  return found
}

/** Of the system bus. */
export function systemServiceDirectories(): ServiceDirectory[] {
  return ['/usr/local/share', '/usr/share', '/lib'].map((directory) => ({
    ...standard(join(directory, 'dbus-1/system-services')),
    strictNames: true,
  }))
}

function standard(path: string): ServiceDirectory {
  return { path, strictNames: false, transient: false }
}
