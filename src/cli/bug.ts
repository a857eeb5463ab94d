/** A fault of nlkit's own: a file with what a report needs, and three lines that say so. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toJson } from './json.ts'

/** Writes the bundle; returns what to say of it. */
export function reportBug(
  error: unknown,
  argv: readonly string[],
  version: string,
): { lines: string[]; json: Record<string, unknown> } {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? error.stack : undefined
  const { arch, platform, versions } = process
  const bundle = { version, node: versions.node, platform, arch, argv, message, stack }
  const lines = [`error: nlkit failed: ${message} (NLKIT_BUG)`]
  let path: string | undefined
  try {
    path = join(mkdtempSync(join(tmpdir(), 'nlkit-')), 'report.json')
    writeFileSync(path, `${toJson(bundle)}\n`)
    lines.push(`  please report this, with ${path}`)
  } catch {
    lines.push('  please report this, with the stack:', stack ?? '')
  }
  return { lines, json: { code: 'NLKIT_BUG', message, report: path } }
}
