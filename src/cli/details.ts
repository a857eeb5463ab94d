/** All members of an object in indented lines, for `-d`. */

const INDENT = '       '
const WIDTH = 100

function isShown(value: unknown): boolean {
  return value !== undefined && !(Array.isArray(value) && value.length === 0)
}

function show(value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex') || '-'
  if (Array.isArray(value)) return `[${value.map(show).join(' ')}]`
  if (typeof value === 'object' && value !== null) return `{${pairs(value).join(' ')}}`
  const text = String(value)
  return /[\s{}[\]]/.test(text) || text === '' ? JSON.stringify(text) : text
}

function pairs(object: object): string[] {
  return Object.entries(object)
    .filter(([, value]) => isShown(value))
    .map(([name, value]) => `${name} ${show(value)}`)
}

/** `name value` of every member, as many to a line as fit. */
export function details(object: object): string[] {
  const lines: string[] = []
  for (const pair of pairs(object)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + pair.length + 2 <= WIDTH)
      lines[lines.length - 1] = `${last}  ${pair}`
    else lines.push(INDENT + pair)
  }
  return lines
}
