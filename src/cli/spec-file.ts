/** A spec's file, found and read; what is wrong in it is the command line's fault. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Problem } from '../ynl/index.ts'
import type { Call } from './command.ts'
import { UsageError } from './exit.ts'

/** Where distributions put Linux's specs. */
const FOLDER = '/usr/share/ynl/specs'

/** @throws UsageError when there is no such file. */
function readSpecFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`${file}: ${(error as Error).message}`)
  }
}

/** The spec of the family `name` in NLKIT_SPECS, or where distributions put them. */
export function findSpec(name: string, env: Call['env']): string {
  const folders = [env.NLKIT_SPECS, FOLDER].filter((each) => each !== undefined)
  const plain = (text: string): string => text.replaceAll('_', '-').toLowerCase()
  for (const folder of folders) {
    if (!existsSync(folder)) continue
    const found = readdirSync(folder).find((file) => plain(file) === `${plain(name)}.yaml`)
    if (found !== undefined) return join(folder, found)
  }
  throw new UsageError(
    `there is no spec of ${name} in ${folders.join(' or ')}`,
    'name its file: --spec FILE, or its folder: NLKIT_SPECS',
  )
}

/** One line for each problem, as compilers write them. */
export function problemLines(
  file: string,
  problems: readonly Problem[],
  format: (problem: Problem) => string,
): string[] {
  return problems.map((problem) => `${file}:${format(problem)}`)
}

/**
 * Does something with a spec; what is wrong in the spec is told with its file.
 * @throws UsageError
 */
export async function withSpec<T>(
  file: string,
  use: (text: string, ynl: typeof import('../ynl/index.ts')) => T,
): Promise<T> {
  const text = readSpecFile(file)
  const ynl = await import('../ynl/index.ts')
  try {
    return use(text, ynl)
  } catch (error) {
    if (!(error instanceof ynl.SpecError)) throw error
    throw new UsageError(problemLines(file, error.problems, ynl.formatProblem).join('\n'))
  }
}
