/** `nlkit dbus monitor|capture`: all messages of a bus, as text, as JSON, as a capture file. */
import type { BusConnection } from '../dbus/client/connection.ts'
import { pcapngHeader, pcapngPacket } from '../dbus/client/pcapng.ts'
import { type DecodedMessage, typeName } from '../dbus/message/index.ts'
import { type Call, verb } from './command.ts'
import { busParameters, withBus, wordsOf } from './dbus-bus.ts'
import { dumpValues, jsonValues } from './dbus-values.ts'
import { duration, integer, text } from './parameter.ts'

const parameters = {
  ...busParameters,
  match: text('RULE', 'only what fits that rule'),
  count: integer('N', 'ends after that many'),
  duration: duration('ends after that time, such as 5s'),
}

type MonitorCall = Call<typeof parameters>

/** Names of services become rules: what comes from them, and what goes to them. */
function rulesOf(call: MonitorCall): string[] {
  const services = wordsOf(call, 0, Number.POSITIVE_INFINITY, 'nlkit dbus monitor [SERVICE …]')
  const rules = services.flatMap((name) => [`sender='${name}'`, `destination='${name}'`])
  return call.given.match === undefined ? rules : [...rules, call.given.match]
}

/** Calls `hear` with each message until Ctrl-C, a bound or the end of the bus. */
async function watch(
  call: MonitorCall,
  hear: (message: DecodedMessage, bytes: Uint8Array) => void,
  begun: () => void,
): Promise<number | undefined> {
  const rules = rulesOf(call)
  return withBus(call, 'Failed to become a monitor', async (bus) => {
    await bus.call({
      destination: 'org.freedesktop.DBus',
      path: '/org/freedesktop/DBus',
      interface: 'org.freedesktop.DBus.Monitoring',
      member: 'BecomeMonitor',
      signature: 'asu',
      body: [rules, 0],
    })
    begun()
    await hearAll(call, bus, hear)
    return undefined
  })
}

async function hearAll(
  { given, signal }: MonitorCall,
  bus: BusConnection,
  hear: (message: DecodedMessage, bytes: Uint8Array) => void,
): Promise<void> {
  const { promise, resolve } = ending()
  let left = given.count ?? Number.POSITIVE_INFINITY
  bus.listener = (message, bytes) => {
    // The bus tells a new monitor that it has lost its own name.
    if (left <= 0 || message.destination === bus.uniqueName) return
    hear(message, bytes)
    if (--left <= 0) resolve()
  }
  const timer = given.duration === undefined ? undefined : setTimeout(resolve, given.duration)
  signal.addEventListener('abort', resolve, { once: true })
  await Promise.race([promise, bus.closed])
  clearTimeout(timer)
  signal.removeEventListener('abort', resolve)
  bus.listener = undefined
}

function ending(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** A message as busctl shows it. */
function describe(message: DecodedMessage, at: number): string[] {
  const order = message.littleEndian ? 'l' : 'B'
  const head = [
    `‣ Type=${typeName(message.type)}`,
    `Endian=${order}`,
    `Flags=${message.flags}`,
    `Version=1 Cookie=${message.serial}`,
  ]
  if (message.replySerial !== undefined) head.push(`ReplyCookie=${message.replySerial}`)
  head.push(`Timestamp="${timestamp(at)}"`)
  const named: readonly (readonly [string, string | undefined])[] = [
    ['Sender', message.sender],
    ['Destination', message.destination],
    ['Path', message.path],
    ['Interface', message.interface],
    ['Member', message.member],
  ]
  const fields = named
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`)
  const lines = [head.join('  '), `  ${fields.join('  ')}`]
  if (message.errorName !== undefined)
    lines.push(`  ErrorName=${message.errorName}  ErrorMessage="${String(message.body[0] ?? '')}"`)
  if (message.sender?.startsWith(':')) lines.push(`  UniqueName=${message.sender}`)
  const values = dumpValues(message.signature, message.body)
  return [...lines, `  MESSAGE "${message.signature}" {`, ...values, '  };', '']
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** Microseconds since 1970, in UTC. */
function timestamp(at: number): string {
  const date = new Date(at / 1000)
  const [day, time] = date.toISOString().split('T') as [string, string]
  const micros = String(at % 1_000_000).padStart(6, '0')
  return `${DAYS[date.getUTCDay()]} ${day} ${time.slice(0, 8)}.${micros} UTC`
}

function jsonMessage(message: DecodedMessage, at: number): Record<string, unknown> {
  return {
    type: typeName(message.type),
    endian: message.littleEndian ? 'l' : 'B',
    flags: message.flags,
    version: 1,
    cookie: message.serial,
    reply_cookie: message.replySerial,
    'timestamp-realtime': at,
    sender: message.sender,
    destination: message.destination,
    path: message.path,
    interface: message.interface,
    member: message.member,
    error_name: message.errorName,
    payload: { type: message.signature, data: jsonValues(message.signature, message.body) },
  }
}

function now(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1000)
}

export const monitor = verb({
  summary: 'messages of a bus, as they pass',
  examples: ['nlkit dbus monitor', 'nlkit dbus monitor --match type=signal -j --count 3'],
  many: 'SERVICE …',
  parameters,
  async run(call) {
    const { json } = call.options
    return watch(
      call,
      (message) => {
        const at = now()
        if (json) call.out.json(jsonMessage(message, at))
        else call.out.lines(describe(message, at))
      },
      () => call.err.line('Monitoring bus message stream.'),
    )
  },
})

export const capture = verb({
  summary: 'messages of a bus as a capture file (pcapng) for wireshark, on standard output',
  examples: ['nlkit dbus capture --duration 5s > bus.pcapng'],
  many: 'SERVICE …',
  parameters,
  async run(call) {
    const write = (bytes: Uint8Array): void => void process.stdout.write(bytes)
    return watch(
      call,
      (_, bytes) => write(pcapngPacket(bytes, now())),
      () => write(pcapngHeader()),
    )
  },
})
