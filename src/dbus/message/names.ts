/** What is a valid name: of a bus, an interface, a member, an error, an object (D-Bus Specification, "Valid Names"). */
import { MAX_NAME_BYTES } from './constants.ts'

/** Longest text of a header that is worth keeping; longer paths are rare. */
export const MAX_HEADER_TEXT = 255

const ELEMENT = '[A-Za-z_][A-Za-z0-9_]*'
const WELL_KNOWN_ELEMENT = '[A-Za-z_-][A-Za-z0-9_-]*'
const INTERFACE = new RegExp(`^${ELEMENT}(?:\\.${ELEMENT})+$`)
const MEMBER = new RegExp(`^${ELEMENT}$`)
const WELL_KNOWN = new RegExp(`^${WELL_KNOWN_ELEMENT}(?:\\.${WELL_KNOWN_ELEMENT})+$`)
const NAMESPACE = new RegExp(`^${WELL_KNOWN_ELEMENT}(?:\\.${WELL_KNOWN_ELEMENT})*$`)
const UNIQUE = /^:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+$/
const PATH = /^\/(?:[A-Za-z0-9_]+(?:\/[A-Za-z0-9_]+)*)?$/

/** Whether `name` is an interface's. */
export function isInterfaceName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && INTERFACE.test(name)
}

/** Whether `name` is an error's: as an interface's. */
export const isErrorName = isInterfaceName

/** Whether `name` is a member's: a method's or a signal's. */
export function isMemberName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && MEMBER.test(name)
}

/** Whether `name` is a connection's unique name, such as `:1.7`. */
export function isUniqueName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && UNIQUE.test(name)
}

/** Whether `name` is one that can be asked for, such as `com.example.Clock`. */
export function isWellKnownName(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && WELL_KNOWN.test(name)
}

/** Whether `name` is a bus name of either kind. */
export function isBusName(name: string): boolean {
  return name.startsWith(':') ? isUniqueName(name) : isWellKnownName(name)
}

/** Whether `name` is the beginning of a well-known name, at a border of its elements; one will do. */
export function isNamespace(name: string): boolean {
  return name.length <= MAX_NAME_BYTES && NAMESPACE.test(name)
}

/** Whether `path` is an object's path. */
export function isObjectPath(path: string): boolean {
  return PATH.test(path)
}
