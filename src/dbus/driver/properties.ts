/** org.freedesktop.DBus.Properties: what the bus can do. */
import { BUS_NAME } from '../bus/bus-name.ts'
import { BusError } from '../bus/errors.ts'
import { Variant } from '../message/index.ts'
import type { Interface, Method } from './method.ts'

const FEATURES = ['ActivatableServicesChanged', 'HeaderFiltering']
const INTERFACES = ['org.freedesktop.DBus.Monitoring', 'org.freedesktop.DBus.Debug.Stats']

export const PROPERTIES: Readonly<Record<string, string>> = { Features: 'as', Interfaces: 'as' }

/** The properties of the bus. */
function valuesOf(features: readonly string[]): ReadonlyMap<string, Variant> {
  return new Map([
    ['Features', new Variant('as', features)],
    ['Interfaces', new Variant('as', INTERFACES)],
  ])
}

function requireInterface(name: string): void {
  if (name !== BUS_NAME) throw new BusError('UnknownInterface', `Interface "${name}" not found`)
}

function unknown(property: string): BusError {
  return new BusError('UnknownProperty', `Property "${BUS_NAME}.${property}" not found`)
}

const get: Method = {
  takes: ['s', 's'],
  gives: ['v'],
  isStill: true,
  handle({ bus, args }) {
    const [name, property] = args as [string, string]
    requireInterface(name)
    const value = valuesOf([...FEATURES, ...bus.features]).get(property)
    if (!value) throw unknown(property)
    return [value]
  },
}

const getAll: Method = {
  takes: ['s'],
  gives: ['a{sv}'],
  isStill: true,
  handle({ bus, args }) {
    requireInterface(args[0] as string)
    return [valuesOf([...FEATURES, ...bus.features])]
  },
}

const set: Method = {
  takes: ['s', 's', 'v'],
  gives: [],
  handle({ args }) {
    const [name, property] = args as [string, string]
    requireInterface(name)
    if (!(property in PROPERTIES)) throw unknown(property)
    throw new BusError('PropertyReadOnly', `Property '${name}.${property}' cannot be set`)
  },
}

export const properties: Interface = {
  name: 'org.freedesktop.DBus.Properties',
  methods: { Get: get, GetAll: getAll, Set: set },
  signals: {
    PropertiesChanged: [
      ['s', 'interface_name'],
      ['a{sv}', 'changed_properties'],
      ['as', 'invalidated_properties'],
    ],
  },
  anyPath: false,
}
