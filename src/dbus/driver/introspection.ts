/** org.freedesktop.DBus.Introspectable: the bus described in XML, letter by letter as the reference does. */
import { BUS_PATH } from '../bus/bus-name.ts'
import type { Interface } from './method.ts'

const DOCTYPE = `<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">`
const CONSTANT = `      <annotation name="org.freedesktop.DBus.Property.EmitsChangedSignal" value="const"/>`

/** The description that Introspect gives at `path`. */
export function describeBus(interfaces: readonly Interface[], path: string): string {
  const shown = interfaces.filter(({ anyPath }) => anyPath || path === BUS_PATH)
  const lines = [DOCTYPE, '<node>', ...shown.flatMap(describeInterface)]
  if (path === '/') lines.push('  <node name="org/freedesktop/DBus"/>')
  return `${[...lines, '</node>'].join('\n')}\n`
}

function describeInterface({ name, methods, properties, signals }: Interface): string[] {
  const lines = [`  <interface name="${name}">`]
  for (const [method, { takes, gives }] of Object.entries(methods)) {
    lines.push(`    <method name="${method}">`)
    for (const type of takes) lines.push(`      <arg direction="in" type="${type}"/>`)
    for (const type of gives) lines.push(`      <arg direction="out" type="${type}"/>`)
    lines.push('    </method>')
  }
  for (const [property, type] of Object.entries(properties ?? {}))
    lines.push(
      `    <property name="${property}" type="${type}" access="read">`,
      CONSTANT,
      '    </property>',
    )
  for (const [signal, args] of Object.entries(signals ?? {})) {
    lines.push(`    <signal name="${signal}">`)
    for (const arg of args)
      lines.push(
        typeof arg === 'string'
          ? `      <arg type="${arg}"/>`
          : `      <arg type="${arg[0]}" name="${arg[1]}"/>`,
      )
    lines.push('    </signal>')
  }
  return [...lines, '  </interface>']
}
