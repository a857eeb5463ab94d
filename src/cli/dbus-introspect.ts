/** `nlkit dbus introspect|tree`: what an object has, and which objects a service has. */
import { CallError } from '../dbus/bus/call-error.ts'
import type { BusConnection } from '../dbus/client/connection.ts'
import { type Element, parseXml } from '../dbus/config/xml.ts'
import type { Variant } from '../dbus/message/index.ts'
import { verb } from './command.ts'
import { busParameters, withBus, wordsOf } from './dbus-bus.ts'
import { formatValues } from './dbus-values.ts'
import { flag } from './parameter.ts'

async function introspectXml(
  bus: BusConnection,
  destination: string,
  path: string,
): Promise<string> {
  const { body } = await bus.call({
    destination,
    path,
    interface: 'org.freedesktop.DBus.Introspectable',
    member: 'Introspect',
  })
  return body[0] as string
}

function childrenOf(element: Element, name: string): Element[] {
  return element.children.filter((child) => child.name === name)
}

function attribute(element: Element, name: string): string {
  return element.attributes.get(name) ?? ''
}

function signatureOf(member: Element, direction: 'in' | 'out', fallback: string): string {
  const types = childrenOf(member, 'arg')
    .filter((arg) => (arg.attributes.get('direction') ?? fallback) === direction)
    .map((arg) => attribute(arg, 'type'))
  return types.join('') || '-'
}

/** Annotations that busctl shows as flags. */
function flagsOf(member: Element, isProperty: boolean, inherited = ''): string {
  const notes = new Map(
    childrenOf(member, 'annotation').map((note) => [
      attribute(note, 'name'),
      attribute(note, 'value'),
    ]),
  )
  const flags: string[] = []
  if (notes.get('org.freedesktop.DBus.Deprecated') === 'true') flags.push('deprecated')
  if (notes.get('org.freedesktop.DBus.Method.NoReply') === 'true') flags.push('no-reply')
  if (isProperty) {
    const changes = notes.get('org.freedesktop.DBus.Property.EmitsChangedSignal') ?? inherited
    if (changes === 'const') flags.push('const')
    else if (changes === 'invalidates') flags.push('emits-invalidation')
    else if (changes !== 'false') flags.push('emits-change')
    if (attribute(member, 'access') !== 'read') flags.push('writable')
  }
  return flags.join(' ') || '-'
}

type Row = [name: string, type: string, signature: string, value: string, flags: string]

async function propertyValues(
  bus: BusConnection,
  destination: string,
  path: string,
  face: Element,
): Promise<Map<string, Variant>> {
  const readable = childrenOf(face, 'property').some((one) => attribute(one, 'access') !== 'write')
  if (!readable) return new Map()
  const { body } = await bus.call({
    destination,
    path,
    interface: 'org.freedesktop.DBus.Properties',
    member: 'GetAll',
    signature: 's',
    body: [attribute(face, 'name')],
  })
  return body[0] as Map<string, Variant>
}

function memberRows(face: Element, values: ReadonlyMap<string, Variant>): Row[] {
  const rows: Row[] = []
  for (const method of childrenOf(face, 'method')) {
    const [takes, gives] = [signatureOf(method, 'in', 'in'), signatureOf(method, 'out', 'in')]
    rows.push([`.${attribute(method, 'name')}`, 'method', takes, gives, flagsOf(method, false)])
  }
  const inherited = childrenOf(face, 'annotation').find(
    (note) => attribute(note, 'name') === 'org.freedesktop.DBus.Property.EmitsChangedSignal',
  )
  for (const property of childrenOf(face, 'property')) {
    const value = values.get(attribute(property, 'name'))
    rows.push([
      `.${attribute(property, 'name')}`,
      'property',
      attribute(property, 'type'),
      value ? formatValues(value.signature, [value.value]) : '-',
      flagsOf(property, true, inherited && attribute(inherited, 'value')),
    ])
  }
  for (const signal of childrenOf(face, 'signal')) {
    const gives = signatureOf(signal, 'out', 'out')
    rows.push([`.${attribute(signal, 'name')}`, 'signal', gives, '-', flagsOf(signal, false)])
  }
  const order = ['method', 'property', 'signal']
  return rows.sort((a, b) => order.indexOf(a[1]) - order.indexOf(b[1]) || (a[0] < b[0] ? -1 : 1))
}

export const introspect = verb({
  summary: 'interfaces, methods, properties and signals of an object',
  examples: ['nlkit dbus introspect org.freedesktop.DBus /org/freedesktop/DBus'],
  many: 'SERVICE OBJECT [INTERFACE]',
  parameters: {
    ...busParameters,
    xml: flag('as the service says it'),
    xmlInterface: flag('the same, and an empty line'),
    noLegend: flag('without headings'),
  },
  async run(call) {
    const words = wordsOf(call, 2, 3, 'nlkit dbus introspect SERVICE OBJECT [INTERFACE]')
    const [service, path, only] = words as [string, string, string?]
    let failed = 'Failed to introspect object'
    const what = (): string => failed
    return withBus(call, what, async (bus) => {
      const xml = await introspectXml(bus, service, path)
      if (call.given.xml || call.given.xmlInterface) {
        call.out.write(call.given.xml ? xml : `${xml}\n`)
        return undefined
      }
      const faces = childrenOf(parseXml(xml, path), 'interface')
        .filter((face) => only === undefined || attribute(face, 'name') === only)
        .sort((a, b) => (attribute(a, 'name') < attribute(b, 'name') ? -1 : 1))
      const rows: Row[] = []
      for (const face of faces) {
        failed = `Failed to get all properties on interface ${attribute(face, 'name')}`
        if (only === undefined)
          rows.push([attribute(face, 'name'), 'interface', '-', '-', flagsOf(face, false)])
        rows.push(...memberRows(face, await propertyValues(bus, service, path, face)))
      }
      if (call.options.json)
        call.out.json(
          rows.map(([name, type, signature, value, flags]) => ({
            name,
            type,
            signature,
            value,
            flags,
          })),
        )
      else call.out.lines(tableOf(rows, call.given.noLegend !== true))
      return undefined
    })
  },
})

const HEADINGS = ['NAME', 'TYPE', 'SIGNATURE', 'RESULT/VALUE', 'FLAGS'] as const

function tableOf(rows: readonly Row[], hasHeadings: boolean): string[] {
  const all = hasHeadings ? [HEADINGS, ...rows] : rows
  const widths = HEADINGS.map((_, i) => Math.max(...all.map((row) => row[i]!.length)))
  return all.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join(' ')
      .trimEnd(),
  )
}

/** Objects of a service, found from its root on; those that a service does not have are passed over. */
async function objectsOf(bus: BusConnection, service: string): Promise<string[]> {
  const found = new Set(['/'])
  for (const path of found) {
    if (found.size > MOST_OBJECTS) break
    let root: Element
    try {
      root = parseXml(await introspectXml(bus, service, path), path)
    } catch (error) {
      if (error instanceof CallError && path !== '/') continue
      throw error
    }
    for (const node of childrenOf(root, 'node')) {
      const name = attribute(node, 'name')
      if (name.startsWith('/')) found.add(name)
      else if (name !== '') found.add(path === '/' ? `/${name}` : `${path}/${name}`)
    }
  }
  return [...found].sort()
}

/** Most objects of a service that are asked. */
const MOST_OBJECTS = 100_000

/** Paths as a tree: each below the nearest that it begins with. */
function treeOf(paths: readonly string[]): string[] {
  const children = new Map<string, string[]>()
  const known = new Set(paths)
  for (const path of paths) {
    if (path === '/') continue
    let parent = path
    do parent = parent.slice(0, parent.lastIndexOf('/'))
    while (parent !== '' && !known.has(parent))
    children.set(parent, [...(children.get(parent) ?? []), path])
  }
  const draw = (parent: string, prefix: string): string[] =>
    (children.get(parent) ?? []).flatMap((path, i, all) => {
      const isLast = i === all.length - 1
      return [
        `${prefix}${isLast ? '└─' : '├─'}${path}`,
        ...draw(path, `${prefix}${isLast ? '  ' : '│ '}`),
      ]
    })
  return draw('', '')
}

export const tree = verb({
  summary: 'objects of services',
  examples: ['nlkit dbus tree org.freedesktop.DBus', 'nlkit dbus tree --list'],
  many: 'SERVICE …',
  parameters: { ...busParameters, list: flag('one path a line') },
  async run(call) {
    const named = wordsOf(call, 0, Number.POSITIVE_INFINITY, 'nlkit dbus tree [SERVICE …]')
    return withBus(call, 'Failed to introspect object', async (bus) => {
      const [owned] = (await bus.callBus('ListNames')).body as [string[]]
      const services =
        named.length > 0 ? named : owned.filter((name) => !name.startsWith(':')).sort()
      const all: Record<string, string[]> = {}
      for (const service of services) {
        const paths = await objectsOf(bus, service)
        all[service] = paths
        if (call.options.json) continue
        if (named.length !== 1) call.out.line(`Service ${service}:`)
        call.out.lines(call.given.list ? paths : treeOf(paths))
      }
      if (call.options.json) call.out.json(all)
      return undefined
    })
  },
})
