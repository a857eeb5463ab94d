/** Specs in YNL's format: this repository's own, and those of a folder that NLKIT_SPECS names. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Family } from 'nlkit/schema'
import { checkAll } from './properties.ts'
import { messagesOf, type NamedMessage } from './reach.ts'

/** src/ynl/index.ts, which the package does not export. */
export const ynl = (await import(new URL('../../dist/ynl/index.js', import.meta.url).href)) as {
  importSpec(text: string): { readonly family: Family }
  generateFamily(text: string): string
  lintSpec(
    text: string,
    header?: (path: string) => string | undefined,
  ): { readonly problems: readonly { readonly message: string; readonly line: number }[] }
}

const own = fileURLToPath(new URL('../../test/ynl-specs', import.meta.url))
/** Linux's own, if there are some: Documentation/netlink/specs. */
export const linux: string | undefined = process.env.NLKIT_SPECS

export interface SpecFile {
  /** Such as `door`, and `linux-netdev` of Linux's. */
  readonly name: string
  readonly text: string
}

function specsIn(folder: string, prefix: string): SpecFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => ({
      name: prefix + basename(file, '.yaml'),
      text: readFileSync(join(folder, file), 'utf8'),
    }))
}

export function allSpecs(): SpecFile[] {
  return [...specsIn(own, ''), ...(linux === undefined ? [] : specsIn(linux, 'linux-'))]
}

/** A family's messages, those that it uses twice once. */
function distinct(family: Family): NamedMessage[] {
  return [...new Map(messagesOf([family]).map((named) => [named.message, named])).values()]
}

/** The digests of everything that comes out of a family's codecs. */
export function digests(family: Family, seed: number, runs: number): string[] {
  return checkAll(seed, runs, distinct(family))
}

/** Those of all specs, by name. */
export function allDigests(seed: number, runs: number): Record<string, string[]> {
  return Object.fromEntries(
    allSpecs().map(({ name, text }) => [name, digests(ynl.importSpec(text).family, seed, runs)]),
  )
}
