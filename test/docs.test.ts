/** The documents' code: every block of TypeScript compiles, and runs unless it says why not. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Block, blocksOf, complaintOf, matchesOutput } from './documents.ts'

const root = new URL('../../', import.meta.url)
const output = new URL('build/docs/', root)

const documents = readdirSync(root)
  .concat(
    existsSync(new URL('docs', root))
      ? readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`)
      : [],
  )
  .filter((name) => name.endsWith('.md'))
const blocks = documents.flatMap((name) =>
  blocksOf(name, readFileSync(new URL(name, root), 'utf8')),
)

/** The file that a block of code becomes, such as README-12.ts. */
function fileOf({ document, line, language }: Block): string {
  return `${document.replace(/\.md$/, '').replaceAll('/', '-')}-${line}.${language}`
}

function nameOf({ document, line, language }: Block): string {
  return `${document}:${line} (${language})`
}

/** Compiles every block of TypeScript in one go. */
function compile(): string {
  rmSync(output, { recursive: true, force: true })
  mkdirSync(output, { recursive: true })
  const options = { rootDir: '.', outDir: '.', composite: false, declaration: false }
  const rest = { declarationMap: false, noUnusedLocals: false }
  writeFileSync(
    new URL('tsconfig.json', output),
    JSON.stringify({
      extends: '../../tsconfig.base.json',
      compilerOptions: { ...options, ...rest },
      include: ['*.ts'],
      exclude: [],
    }),
  )
  for (const block of blocks)
    if (block.language === 'ts' || block.language === 'js')
      writeFileSync(new URL(fileOf(block), output), `${block.code}\nexport {}\n`)
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', root))
  const { stdout } = spawnSync(process.execPath, [tsc, '-p', fileURLToPath(output)], {
    encoding: 'utf8',
  })
  return stdout
}

/** The command that runs a block. */
function commandOf(block: Block): [string, string[]] {
  if (block.language === 'sh') return ['bash', ['-euo', 'pipefail', '-c', block.code]]
  const file = fileOf(block).replace(/\.ts$/, '.js')
  return [process.execPath, ['--enable-source-maps', fileURLToPath(new URL(file, output))]]
}

/** Relative links of a document, without their anchors. */
function linksOf(markdown: string): string[] {
  return [...markdown.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = '']) => path)
}

const complaints = compile()

test('there are documents, and they have code', () => {
  assert.ok(documents.includes('README.md') && documents.includes('CONTRIBUTING.md'))
  assert.ok(blocks.filter(({ run }) => run).length > 0)
})

test('every link to a file finds it', () => {
  const broken = documents.flatMap((name) =>
    linksOf(readFileSync(new URL(name, root), 'utf8'))
      .filter((path) => !existsSync(new URL(path, new URL(name, root))))
      .map((path) => `${name} links to ${path}`),
  )
  assert.deepEqual(broken, [])
})

test('every block of code is run or says why not', () => {
  assert.deepEqual(blocks.map(complaintOf).filter(Boolean), [])
})

test('every block of TypeScript compiles', () => {
  assert.equal(complaints, '')
})

for (const block of blocks.filter(({ run }) => run))
  test(`${nameOf(block)} runs`, () => {
    const [command, args] = commandOf(block)
    const { status, stdout, stderr } = spawnSync(command, args, {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    })
    assert.equal(status, 0, stderr)
    if (block.output !== undefined && !matchesOutput(stdout, block.output))
      assert.equal(stdout, block.output)
  })

for (const block of blocks.filter(({ reason }) => reason))
  test(`${nameOf(block)} runs`, { skip: block.reason }, () => {})

test('blocks are found with their marks, lines and output', () => {
  const markdown = [
    'Text.',
    '```ts run',
    'const a = 1',
    '```',
    '',
    '```text output',
    'one … three',
    '```',
    '```js skip needs a network',
    '```',
    '```ts',
    '```',
  ].join('\n')
  const [first, second, third, ...rest] = blocksOf('x.md', markdown)
  assert.deepEqual(rest, [])
  assert.deepEqual(first, {
    document: 'x.md',
    line: 2,
    language: 'ts',
    run: true,
    reason: undefined,
    code: 'const a = 1\n',
    output: 'one … three\n',
  })
  assert.equal(second?.reason, 'needs a network')
  assert.deepEqual(
    [first, second, third].map((block) => block && complaintOf(block)),
    [undefined, undefined, 'x.md:11 is neither run nor says why not'],
  )
})

test('output is compared to the letter, but for dots', () => {
  for (const [actual, expected, verdict] of [
    ['a\nb\n', 'a\nb\n', true],
    ['a\nb\n', 'a\nc\n', false],
    ['a\nb\n', 'a\n', false],
    ['took 12 ms\n', 'took … ms\n', true],
    ['took 12 s\n', 'took … ms\n', false],
    ['a\nx\ny\nb\n', 'a\n…\nb\n', true],
    ['a\nx\ny\nc\n', 'a\n…\nb\n', false],
    ['a.b\n', 'a.b\n', true],
    ['axb\n', 'a.b\n', false],
  ] as const)
    assert.equal(matchesOutput(actual, expected), verdict, `${actual} ${expected}`)
})
