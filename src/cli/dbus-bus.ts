/** The bus that a command speaks to, and how an error that was answered reads. */

import { CallError } from '../dbus/bus/call-error.ts'
import { BusConnection } from '../dbus/client/connection.ts'
import { sessionAddress, systemAddress } from '../dbus/client/well-known.ts'
import type { Call } from './command.ts'
import { EXIT, UsageError } from './exit.ts'
import { duration, flag, type Parameters, text } from './parameter.ts'

export const busParameters = {
  address: text('ADDRESS', 'the bus at that address'),
  user: flag('the session bus'),
  system: flag('the system bus'),
  timeout: duration('longest that a call may take'),
  noPager: flag('accepted: there is no pager'),
} satisfies Parameters

type BusCall = Call<typeof busParameters>

/** Without an option it is the bus of DBUS_SESSION_BUS_ADDRESS if that is set, else the system's. */
function addressOf({ given, env }: BusCall): string {
  if (given.user && given.system) throw new UsageError('--user and --system exclude each other')
  if (given.address !== undefined) return given.address
  if (given.user || (!given.system && env.DBUS_SESSION_BUS_ADDRESS)) return sessionAddress(env)
  return systemAddress(env)
}

/**
 * Opens the bus for `use`, and closes it.
 * An error that a service answers is told as busctl tells it: `what`, a colon, the error's text; where
 * it depends on how far things have come, it is asked then.
 */
export async function withBus(
  call: BusCall,
  what: string | (() => string),
  use: (bus: BusConnection) => Promise<number | undefined>,
): Promise<number | undefined> {
  const bus = await BusConnection.open(addressOf(call), call.given.timeout ?? 25_000)
  try {
    return await use(bus)
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    if (call.options.json)
      call.out.json({ error: { code: error.errorName, message: error.message } })
    else call.err.line(`${typeof what === 'string' ? what : what()}: ${error.message}`)
    return EXIT.refused
  } finally {
    bus.close()
  }
}

/** Words, and those behind `--`, as a D-Bus command takes them. */
export function wordsOf(call: BusCall, least: number, most: number, form: string): string[] {
  const words = [...call.rest, ...call.behind]
  if (words.length < least) throw new UsageError('words are missing', form)
  if (words.length > most) throw new UsageError(`unexpected word "${words[most]}"`, form)
  return words
}
