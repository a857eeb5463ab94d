/** All that an object says, in indented lines, for `-d`. What is zero, off or empty is left out. */

const INDENT = 7
const STEP = 2
const WIDTH = 100

function isNothing(value: unknown): boolean {
  if (value === undefined || value === false || value === '' || value === 0 || value === 0n)
    return true
  if (Array.isArray(value)) return value.every(isNothing)
  return isObject(value) && Object.values(value).every(isNothing)
}

function isObject(value: unknown): value is object {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  )
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(show).join(',')
  if (isObject(value))
    return JSON.stringify(value, (_, each) => (isNothing(each) ? undefined : each))
  const text = String(value)
  return /\s/.test(text) ? JSON.stringify(text) : text
}

/** `name value` of every member in alphabetical order, as many to a line as fit; members of members further in. */
export function details(object: object, indent = INDENT): string[] {
  const lines: string[] = []
  const margin = ' '.repeat(indent)
  const members = Object.entries(object)
    .filter(([, value]) => !isNothing(value))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  for (const [name, value] of members) {
    if (isObject(value)) continue
    const pair = `${name} ${show(value)}`
    const last = lines.at(-1)
    if (last !== undefined && last.length + pair.length + 2 <= WIDTH)
      lines[lines.length - 1] = `${last}  ${pair}`
    else lines.push(margin + pair)
  }
  for (const [name, value] of members)
    if (isObject(value)) lines.push(`${margin}${name}`, ...details(value, indent + STEP))
  return lines
}
