/** Borders between the rooms of src: reads the table of ARCHITECTURE.md, and finds what crosses it. */

/** One row of the table. */
export interface Room {
  readonly name: string
  /** Paths in src: a folder, or a file; `kernel/*.ts` is the files of a folder without its folders. */
  readonly paths: readonly string[]
  /** Rooms whose values and types it may import; its own is always allowed. */
  readonly rooms: ReadonlySet<string>
  /** Rooms of which it may import types only. */
  readonly types: ReadonlySet<string>
  /** Packages, and `node:` for Node's built-ins. */
  readonly packages: ReadonlySet<string>
}

/** One import statement, re-export or import() call. */
export interface Import {
  readonly specifier: string
  /** `import type` and `export type`: nothing of it is left when the program runs. */
  readonly typeOnly: boolean
}

/** Words in a cell: `a`, `b` (types), with or without back quotes; a dash is nothing. */
function words(cell: string): string[] {
  return cell
    .replaceAll('`', '')
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '' && word !== '–')
}

/** The rooms of the first Markdown table whose head is room, files, may import, packages. */
export function parseRooms(markdown: string): Room[] {
  const lines = markdown.split('\n')
  const head = lines.findIndex((line) => /^\|\s*room\s*\|\s*files\s*\|/.test(line))
  if (head < 0) throw new Error('no table of rooms')
  const rooms: Room[] = []
  for (const line of lines.slice(head + 2)) {
    if (!line.startsWith('|')) break
    const [, name = '', files = '', allowed = '', packages = ''] = line.split('|')
    const all = words(allowed)
    const types = all.filter((word) => word.endsWith(' (types)'))
    rooms.push({
      name: words(name)[0] ?? '',
      paths: words(files),
      rooms: new Set(all.filter((word) => !types.includes(word))),
      types: new Set(types.map((word) => word.slice(0, -' (types)'.length))),
      packages: new Set(words(packages)),
    })
  }
  const names = new Set(rooms.map(({ name }) => name))
  for (const { name, rooms: allowed, types } of rooms)
    for (const other of [...allowed, ...types])
      if (!names.has(other)) throw new Error(`${name} may import ${other}, which is no room`)
  return rooms
}

/** How well a path of the table fits a file: the length of what fits, or -1. */
function fit(path: string, file: string): number {
  if (path.endsWith('/*.ts')) {
    const folder = path.slice(0, -'*.ts'.length)
    return file.startsWith(folder) && !file.slice(folder.length).includes('/') ? folder.length : -1
  }
  return path === file || file.startsWith(`${path}/`) ? path.length : -1
}

/** The room of a file of src: the one whose path fits closest. */
export function roomOf(rooms: readonly Room[], file: string): Room | undefined {
  let best: Room | undefined
  let most = -1
  for (const room of rooms)
    for (const path of room.paths) {
      const length = fit(path, file)
      if (length > most) {
        best = room
        most = length
      }
    }
  return best
}

/** A source without its comments and without what its quotes hold. */
export function bareCode(source: string): string {
  return withoutComments(source)
    .replace(/'(?:[^'\\\n]|\\.)*'/g, "''")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    .replace(/`(?:[^`\\]|\\.)*`/g, '``')
}

function withoutComments(source: string): string {
  return source
    .split('\n')
    .filter((line) => !/^\s*(\/\/|\/?\*)/.test(line))
    .map((line) => line.replace(/\s\/\/ .*$/, ''))
    .join('\n')
}

/** Every import of a formatted source: statements start a line, import() may be anywhere. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const statements = code.matchAll(
    /^(import|export)\s+(type\s+(?!from\b))?(?:[\w*{}\s,$]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  )
  const calls = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g)
  return [
    ...[...statements].map(([, , type, specifier = '']) => ({
      specifier,
      typeOnly: type !== undefined,
    })),
    ...[...calls].map(([, specifier = '']) => ({ specifier, typeOnly: false })),
  ]
}

/** The file of src that a relative import names. */
export function resolve(from: string, specifier: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** What ARCHITECTURE.md does not allow one file, a sentence each. */
export function crossings(rooms: readonly Room[], file: string, source: string): string[] {
  const room = roomOf(rooms, file)
  if (!room) return [`${file} is in no room of ARCHITECTURE.md`]
  const found: string[] = []
  for (const { specifier, typeOnly } of importsOf(source)) {
    if (!specifier.startsWith('.')) {
      const name = specifier.startsWith('node:') ? 'node:' : packageOf(specifier)
      if (!room.packages.has(name)) found.push(refusal(file, specifier))
      continue
    }
    const target = roomOf(rooms, resolve(file, specifier))
    if (!target) found.push(`${file} imports ${specifier}, which is in no room of ARCHITECTURE.md`)
    else if (target !== room && !room.rooms.has(target.name)) {
      if (!room.types.has(target.name)) found.push(refusal(file, target.name))
      else if (!typeOnly) found.push(refusal(file, target.name, ', but for its types'))
    }
  }
  return found
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function refusal(file: string, target: string, but = ''): string {
  return `${file} imports ${target}: ARCHITECTURE.md does not allow it${but}`
}

/** Import cycles between files, types left out, each as the files on its way. */
export function cycles(sources: ReadonlyMap<string, string>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const visit = (file: string, way: string[]): void => {
    const at = way.indexOf(file)
    if (at >= 0) found.push([...way.slice(at), file])
    if (at >= 0 || done.has(file)) return
    for (const { specifier, typeOnly } of importsOf(sources.get(file) ?? ''))
      if (!typeOnly && specifier.startsWith('.')) visit(resolve(file, specifier), [...way, file])
    done.add(file)
  }
  for (const file of sources.keys()) visit(file, [])
  return found
}
