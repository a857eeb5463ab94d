/** Starts a program for a service, and tells why it is not running. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { type ErrnoName, errnoText } from '../../errno.ts'
import { BusError } from '../bus/errors.ts'

/** What the program that starts services as other users says by its exit status. */
const HELPER_STATUS: Readonly<Record<number, readonly [error: string, text: string]>> = {
  1: ['Spawn.Failed', 'Launcher could not run'],
  2: ['Spawn.SetupFailed', 'Launcher could not set its environment up'],
  3: ['Spawn.ServiceNotValid', 'Bus name is not valid or missing'],
  4: ['Spawn.ServiceNotFound', 'Bus name not found in system service directory'],
  5: ['Spawn.PermissionsInvalid', 'The permission of the setuid helper is not correct'],
  6: [
    'Spawn.FileInvalid',
    'The service file is incorrect or does not have all required attributes',
  ],
  7: ['Spawn.ExecFailed', 'Cannot launch daemon, file not found or permissions invalid'],
  8: ['InvalidArgs', 'Invalid arguments to command line'],
  9: ['Spawn.ChildSignaled', 'Launched child was signalled, it probably crashed'],
}

const PREFIX = 'org.freedesktop.DBus.Error.'

export interface Launch {
  readonly name: string
  readonly command: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  /** It is the helper that is started. */
  readonly isHelper: boolean
}

/** Starts it; `failed` is called once if it cannot start, or ends with a status that is not 0. */
export function launch(
  { name, command, environment, isHelper }: Launch,
  failed: (error: BusError) => void,
): void {
  const [program, ...args] = command as [string, ...string[]]
  const child = spawn(program, args, {
    env: Object.fromEntries(environment),
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  child.once('error', ({ code = 'EIO' }: NodeJS.ErrnoException) => {
    const why = errnoText(code as ErrnoName)
    failed(new BusError(`${PREFIX}Spawn.ExecFailed`, `Failed to execute program ${name}: ${why}`))
  })
  child.once('exit', (status, signal) => {
    const error = endOf(name, status, signal, isHelper)
    if (error) failed(error)
  })
}

/** A program that ends well may have left another behind: that is no failure. */
function endOf(
  name: string,
  status: number | null,
  signal: NodeJS.Signals | null,
  isHelper: boolean,
): BusError | undefined {
  if (signal !== null)
    return new BusError(
      `${PREFIX}Spawn.ChildSignaled`,
      `Process ${name} received signal ${constants.signals[signal]}`,
    )
  if (status === 0) return undefined
  const said = isHelper ? HELPER_STATUS[status!] : undefined
  if (said) return new BusError(PREFIX + said[0], said[1])
  return new BusError(`${PREFIX}Spawn.ChildExited`, `Process ${name} exited with status ${status}`)
}
