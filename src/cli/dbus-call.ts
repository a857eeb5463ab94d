/** `nlkit dbus call|get|set|emit`: a method, properties, a signal, with arguments as busctl takes them. */
import {
  ALLOW_INTERACTIVE_AUTHORIZATION,
  METHOD_CALL,
  NO_AUTO_START,
  NO_REPLY_EXPECTED,
  parseSignature,
  SIGNAL,
  Variant,
} from '../dbus/message/index.ts'
import { verb } from './command.ts'
import { busParameters, withBus, wordsOf } from './dbus-bus.ts'
import { formatValues, jsonOf, jsonValues, parseValues } from './dbus-values.ts'
import { onOff, text } from './parameter.ts'

const PROPERTIES = 'org.freedesktop.DBus.Properties'

export const callMethod = verb({
  summary: 'calls a method',
  examples: [
    'nlkit dbus call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus ListNames',
    'nlkit dbus call com.example /obj com.example.Face Add ii 1 2',
  ],
  many: 'SERVICE OBJECT INTERFACE METHOD [SIGNATURE ARGUMENT …]',
  behind: 'words that are arguments, whatever they look like',
  parameters: {
    ...busParameters,
    expectReply: onOff('whether an answer is waited for'),
    autoStart: onOff('whether the service may be started'),
    allowInteractiveAuthorization: onOff('whether the user may be asked'),
  },
  async run(call) {
    const form = 'nlkit dbus call SERVICE OBJECT INTERFACE METHOD [SIGNATURE ARGUMENT …]'
    const words = wordsOf(call, 4, Number.POSITIVE_INFINITY, form)
    const [destination, path, face, member, signature = '', ...rest] = words
    const {
      expectReply = true,
      autoStart = true,
      allowInteractiveAuthorization = true,
    } = call.given
    const flags =
      (expectReply ? 0 : NO_REPLY_EXPECTED) |
      (autoStart ? 0 : NO_AUTO_START) |
      (allowInteractiveAuthorization ? ALLOW_INTERACTIVE_AUTHORIZATION : 0)
    const body = parseValues(signature, rest)
    const init = { destination, path, interface: face, member, signature, body, flags }
    return withBus(call, 'Call failed', async (bus) => {
      if (!expectReply) {
        bus.send({ ...init, type: METHOD_CALL })
        await bus.callBus('GetId')
        return undefined
      }
      const reply = await bus.call(init)
      if (reply.signature === '' || call.options.quiet) return undefined
      if (call.options.json)
        call.out.json({ type: reply.signature, data: jsonValues(reply.signature, reply.body) })
      else call.out.line(`${reply.signature} ${formatValues(reply.signature, reply.body)}`)
      return undefined
    })
  },
})

export const getProperty = verb({
  aliases: ['get-property'],
  summary: 'values of properties',
  examples: [
    'nlkit dbus get org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus Features',
  ],
  many: 'SERVICE OBJECT INTERFACE PROPERTY …',
  parameters: busParameters,
  async run(call) {
    const form = 'nlkit dbus get SERVICE OBJECT INTERFACE PROPERTY …'
    const [destination, path, face, ...names] = wordsOf(call, 4, Number.POSITIVE_INFINITY, form)
    let name = ''
    const failed = (): string => `Failed to get property ${name} on interface ${face}`
    return withBus(call, failed, async (bus) => {
      for (name of names) {
        const { body } = await bus.call({
          destination,
          path,
          interface: PROPERTIES,
          member: 'Get',
          signature: 'ss',
          body: [face, name],
        })
        const { signature, value } = body[0] as Variant
        if (call.options.json)
          call.out.json({ type: signature, data: jsonOf(parseSignature(signature)[0]!, value) })
        else call.out.line(`${signature} ${formatValues(signature, [value])}`)
      }
      return undefined
    })
  },
})

export const setProperty = verb({
  aliases: ['set-property'],
  summary: 'gives a property a value',
  examples: ['nlkit dbus set com.example /obj com.example.Face Colour s blue'],
  many: 'SERVICE OBJECT INTERFACE PROPERTY SIGNATURE VALUE …',
  behind: 'words that are values, whatever they look like',
  parameters: busParameters,
  async run(call) {
    const form = 'nlkit dbus set SERVICE OBJECT INTERFACE PROPERTY SIGNATURE VALUE …'
    const words = wordsOf(call, 5, Number.POSITIVE_INFINITY, form)
    const [destination, path, face, name, signature = '', ...rest] = words
    const [value] = parseValues(signature, rest)
    return withBus(call, `Failed to set property ${name} on interface ${face}`, async (bus) => {
      await bus.call({
        destination,
        path,
        interface: PROPERTIES,
        member: 'Set',
        signature: 'ssv',
        body: [face, name, new Variant(signature, value)],
      })
      return undefined
    })
  },
})

export const emitSignal = verb({
  summary: 'sends a signal',
  examples: ['nlkit dbus emit /obj com.example.Face Changed s blue'],
  many: 'OBJECT INTERFACE SIGNAL [SIGNATURE ARGUMENT …]',
  behind: 'words that are arguments, whatever they look like',
  parameters: { ...busParameters, destination: text('SERVICE', 'to that one alone') },
  async run(call) {
    const form = 'nlkit dbus emit OBJECT INTERFACE SIGNAL [SIGNATURE ARGUMENT …]'
    const words = wordsOf(call, 3, Number.POSITIVE_INFINITY, form)
    const [path, face, member, signature = '', ...rest] = words
    const body = parseValues(signature, rest)
    const { destination } = call.given
    return withBus(call, 'Failed to send signal', async (bus) => {
      const init = { path, interface: face, member, signature, body, destination }
      bus.send({ ...init, type: SIGNAL, flags: NO_REPLY_EXPECTED })
      // The bus answers in order: what was sent before has arrived.
      await bus.callBus('GetId')
      return undefined
    })
  },
})
