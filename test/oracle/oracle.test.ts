/**
 * What Linux's own functions return, recorded by a kernel module (nlkit_oracle.c), is what nlkit's
 * return in the same order of calls.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Kernel } from 'nlkit/kernel'
import { errnos, rawChanges, robustCases, typeCases, types, uniqueCases } from './chains.ts'
import {
  builders,
  connector,
  deliveries,
  genetlink,
  kernelSockets,
  notifier,
  rcv,
} from './sockets.ts'

const recorded = readFileSync(new URL('../../../test/oracle/results.txt', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
  .filter((line) => !line.startsWith('#'))

/** The same questions in the same order. */
async function ask(): Promise<string[]> {
  const lines: string[] = []
  const say = (name: string, answer: string | number): void => {
    lines.push(`${name} = ${answer}`)
  }
  await using kernel = new Kernel()
  const all = types()
  for (const type of all) await typeCases(say, type)
  for (const type of all) await uniqueCases(say, type)
  for (const type of all) await robustCases(say, type)
  rawChanges(say)
  errnos(say)
  await kernelSockets(say, kernel)
  builders(say)
  rcv(say)
  connector(say, kernel)
  await notifier(say, kernel)
  await deliveries(say, kernel)
  genetlink(say, kernel)
  return lines
}

test('more than 300 answers of Linux are nlkit’s too, in the same order', async () => {
  assert.ok(recorded.length > 300)
  const answers = await ask()
  const differences = recorded.flatMap((line, i) =>
    line === answers[i] ? [] : [`Linux: ${line}; nlkit: ${answers[i]}`],
  )
  assert.deepEqual(differences, [])
  assert.equal(answers.length, recorded.length)
})
